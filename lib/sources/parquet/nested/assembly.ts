import type { SchemaTree } from 'hyparquet'
import { isListLike, isMapLike } from 'hyparquet/src/schema.js'
import { setOwn } from '../../rows.ts'
import type { LeafRows } from './leaf-rows.ts'

/** A place in the entries of a leaf. */
class Cursor {
  at = 0
  #rows!: LeafRows
  #end = 0

  /** Goes to the beginning of a row. */
  go(rows: LeafRows, row: number): void {
    this.#rows = rows
    this.at = rows.starts[row]!
    this.#end = rows.starts[row + 1]!
  }

  get isAtEnd(): boolean {
    return this.at === this.#end
  }

  get definition(): number {
    return this.at < this.#end ? this.#rows.definitions[this.at]! : 0
  }

  /** The list that the next entry continues; 0 at the end of the row. */
  get repetition(): number {
    return this.at < this.#end ? this.#rows.repetitions[this.at]! : 0
  }

  take(): unknown {
    return this.#rows.valueAt(this.at++)
  }
}

/** A node of the schema, and how its value is made of the entries of the leaves below it. */
interface Part {
  /** The first leaf: its levels say whether the node is there. */
  readonly first: Cursor
  /** Takes the value that is next. */
  read(): unknown
  /** Takes the entry that each leaf has in place of a value. */
  skip(): void
}

/** How many optional and repeated nodes, and how many repeated ones, are on the path to a node. */
interface Levels {
  readonly definition: number
  readonly repetition: number
}

/** Assembles the values of a column with lists, maps or structs from the entries of its leaves. */
export class Assembly {
  readonly #cursors: Cursor[] = []
  readonly #column: Part

  constructor(tree: SchemaTree) {
    this.#column = partOf(tree, { definition: 0, repetition: 0 }, () => {
      const cursor = new Cursor()
      this.#cursors.push(cursor)
      return cursor
    })
  }

  /**
   * Returns the value of a row.
   * @param leaves the rows of each leaf, and the index of the row in them
   */
  valueOf(leaves: readonly { readonly rows: LeafRows; readonly row: number }[]): unknown {
    for (const [index, cursor] of this.#cursors.entries()) cursor.go(leaves[index]!.rows, leaves[index]!.row)
    const value = this.#column.read()
    if (!this.#cursors.every(cursor => cursor.isAtEnd)) {
      throw new Error('The leaves of a row do not fit together')
    }
    return value
  }
}

function partOf(node: SchemaTree, above: Levels, newCursor: () => Cursor): Part {
  const { repetition_type: type } = node.element
  if (type === 'REPEATED') return listPart(above, levels => contentOf(node, levels, newCursor))
  if (type === 'REQUIRED') return contentOf(node, above, newCursor)
  const definition = above.definition + 1
  const content = contentOf(node, { ...above, definition }, newCursor)
  return node.children.length === 0 ? content : optionalPart(content, definition)
}

/** Returns a node without regard to whether it is optional or repeated. */
function contentOf(node: SchemaTree, levels: Levels, newCursor: () => Cursor): Part {
  const { children } = node
  if (children.length === 0) return leafPart(newCursor())
  if (isListLike(node)) {
    const [list] = children
    // the only child of the repeated node is the element; in older files that node itself is
    const [element, ...others] = list!.children
    return listPart(levels, within =>
      element && others.length === 0
        ? partOf(element, within, newCursor)
        : contentOf(list!, within, newCursor),
    )
  }
  if (isMapLike(node)) {
    return mapPart(
      listPart(levels, within =>
        entryPart(children[0]!.children.map(child => partOf(child, within, newCursor))),
      ),
    )
  }
  return structPart(
    children.map(child => child.element.name),
    children.map(child => partOf(child, levels, newCursor)),
  )
}

/** A value, or null. */
function leafPart(first: Cursor): Part {
  return {
    first,
    read: () => first.take(),
    skip: () => {
      first.at++
    },
  }
}

function optionalPart({ first, read, skip }: Part, definition: number): Part {
  return {
    first,
    read: () => {
      if (first.definition >= definition) return read()
      skip()
      return null
    },
    skip,
  }
}

function listPart(above: Levels, elementOf: (levels: Levels) => Part): Part {
  const definition = above.definition + 1
  const repetition = above.repetition + 1
  const { first, read, skip } = elementOf({ definition, repetition })
  return {
    first,
    read: () => {
      const elements: unknown[] = []
      if (first.definition < definition) skip()
      else {
        do elements.push(read())
        while (first.repetition === repetition)
      }
      return elements
    },
    skip,
  }
}

function entryPart(parts: readonly Part[]): Part {
  return {
    first: parts[0]!.first,
    read: () => parts.map(part => part.read()),
    skip: () => skipAll(parts),
  }
}

/** An object of a list of keys and values. */
function mapPart({ first, read, skip }: Part): Part {
  return {
    first,
    read: () => {
      const made: Record<string, unknown> = {}
      for (const [key, value] of read() as [unknown, unknown][]) setOwn(made, String(key), value)
      return made
    },
    skip,
  }
}

function structPart(names: readonly string[], parts: readonly Part[]): Part {
  return {
    first: parts[0]!.first,
    read: () => {
      const made: Record<string, unknown> = {}
      for (const [index, name] of names.entries()) setOwn(made, name, parts[index]!.read())
      return made
    },
    skip: () => skipAll(parts),
  }
}

function skipAll(parts: readonly Part[]): void {
  for (const part of parts) part.skip()
}
