import { type FileMetaData, parquetSchema, type SchemaElement, type SchemaTree } from 'hyparquet'
import { getMaxDefinitionLevel, getMaxRepetitionLevel, isListLike } from 'hyparquet/src/schema.js'
import { firstRepeated } from '../repeated.ts'
import { SourceError } from '../source-error.ts'
import { withInfinity } from './types/infinity.ts'
import { type LeafType, leafType } from './types/leaf-type.ts'

/** A column of the rows, and its leaves in the file: one, unless the column is nested. */
export interface ParquetColumn {
  readonly name: string
  /** A type of PostgreSQL that holds every value. */
  readonly sqlType: string
  readonly required: boolean
  readonly tree: SchemaTree
  readonly leaves: readonly Leaf[]
  /** The column has no lists and no structs: the leaf's values are the column's. */
  readonly flat: boolean
}

export interface Leaf {
  /** From the root to the leaf, whose logical type is removed. */
  readonly path: readonly SchemaTree[]
  readonly type: LeafType
  /** How many nodes of the path may be absent: those that are optional or repeated. */
  readonly maxDefinition: number
  /**
   * How many nodes of the path are repeated. Where any is, a row may have any number of the leaf's values,
   * and may continue on the next page.
   */
  readonly maxRepetition: number
}

type TypeOf = (element: SchemaElement) => LeafType

/**
 * Returns the columns of a file. hyparquet gets their leaves without logical types, because it makes
 * numbers of decimals and Dates of timestamps, which lose digits. `LeafType` makes the values instead.
 */
export function columnsOf(
  { schema, created_by: writer }: Pick<FileMetaData, 'schema' | 'created_by'>,
  name: string,
): ParquetColumn[] {
  const root = parquetSchema({ schema: schema.map(withGroupType) })
  const typeOf: TypeOf = writer?.startsWith('DuckDB') ? element => withInfinity(leafType(element)) : leafType
  const columns = root.children.map(tree => columnOf(root, tree, typeOf, name))
  const names = columns.map(column => column.name)
  const twice = firstRepeated(names)
  if (twice !== undefined) throw new SourceError(`${name}: two columns are called "${twice}"`)
  if (columns.length === 0) throw new SourceError(`${name}: it has no columns`)
  return columns
}

function columnOf(root: SchemaTree, tree: SchemaTree, typeOf: TypeOf, name: string): ParquetColumn {
  const variant = hasVariant(tree)
  if (variant) {
    throw new SourceError(
      `${name}: the column "${tree.element.name}" is of the type VARIANT, which cannot be read`,
    )
  }
  const leaves = leavesOf(tree, [root], typeOf)
  const flat = tree.children.length === 0 && tree.element.repetition_type !== 'REPEATED'
  return {
    name: tree.element.name,
    sqlType: sqlTypeOf(tree),
    required: tree.element.repetition_type === 'REQUIRED',
    tree,
    leaves,
    flat,
  }
}

function leavesOf(tree: SchemaTree, above: readonly SchemaTree[], typeOf: TypeOf): Leaf[] {
  if (tree.children.length > 0) {
    return tree.children.flatMap(child => leavesOf(child, [...above, tree], typeOf))
  }
  const { converted_type: _, logical_type: __, ...element } = tree.element
  const path = [...above, { ...tree, element }]
  return [
    {
      path,
      type: typeOf(tree.element),
      maxDefinition: getMaxDefinitionLevel(path),
      maxRepetition: getMaxRepetitionLevel(path),
    },
  ]
}

/** Returns a column's type: an array for a list of plain values, jsonb for anything deeper. */
function sqlTypeOf(tree: SchemaTree): string {
  const { children, element } = tree
  if (children.length === 0 && element.repetition_type !== 'REPEATED') return leafType(element).sqlType
  const item = itemOf(tree)
  const sqlType = item ? leafType(item).sqlType : 'jsonb'
  return sqlType === 'jsonb' ? 'jsonb' : `${sqlType}[]`
}

/** Returns the element of a list of plain values; undefined for other columns. */
function itemOf(tree: SchemaTree): SchemaElement | undefined {
  if (tree.children.length === 0) return tree.element
  if (!isListLike(tree)) return undefined
  const list = tree.children[0]!
  if (list.children.length === 0) return list.element
  const [item] = list.children
  const plain = item!.children.length === 0 && item!.element.repetition_type !== 'REPEATED'
  return plain ? item!.element : undefined
}

/** Adds the older annotation of lists and maps, the only one that hyparquet reads. */
function withGroupType(element: SchemaElement): SchemaElement {
  if (!element.num_children || element.converted_type) return element
  const type = element.logical_type?.type
  return type === 'LIST' || type === 'MAP' ? { ...element, converted_type: type } : element
}

function hasVariant(tree: SchemaTree): boolean {
  return tree.element.logical_type?.type === 'VARIANT' || tree.children.some(hasVariant)
}
