import type { Readable } from 'node:stream'
import { valueAt } from '../../columnar/block.ts'
import {
  BLOCK,
  type BlockField,
  BlockLayout,
  type BlockRow,
  fittedAt,
  INDEX,
} from '../../columnar/block-row.ts'
import { type SourceRow, setOwn } from '../../sources/rows.ts'
import type { Source } from '../../sources/source.ts'
import { copyObstacleOf } from '../../table/copy-obstacle.ts'
import type { Table } from '../../types.ts'
import type { ColumnChoice } from '../columns/choose-columns.ts'
import { asText, fittersOf } from './fit-value.ts'
import { fitColumn, PARQUET_FILE } from './shape-row.ts'

/** How the blocks of a Parquet file are written. */
export interface BlockWriting {
  /** Arrays of blocks. */
  readonly stream: Readable
  readonly layout: BlockLayout
  /** Returns a row as an object, with columns as keys. */
  readonly rowOf: (row: BlockRow) => SourceRow
  /** Throws for a value that no column takes. Undefined if there can be none. */
  readonly toRow: ((row: BlockRow) => BlockRow) | undefined
}

/** Names that every object has: a getter in a prototype is not an own value of a row. */
const INHERITED = (name: string): boolean => name in Object.prototype

/**
 * Plans to write blocks as they are. Returns undefined if the rows have to be objects: where COPY cannot be
 * used, or a column has a name that every object has.
 */
export function planBlocks(
  { blocks, header = [], columns = [] }: Source,
  table: Table,
  choice: ColumnChoice,
  upserts: boolean,
): BlockWriting | undefined {
  if (!blocks || !choice.columns || copyObstacleOf(table, upserts) !== undefined) return undefined
  if (choice.pairs.some(([, column]) => INHERITED(column))) return undefined
  const fitters = fittersOf(table, PARQUET_FILE)
  const fields = choice.pairs.map(
    ([key, name]): BlockField => ({
      name,
      source: header.indexOf(key),
      fit: fitters.get(name) ?? asText,
    }),
  )
  const checked = fields.filter(({ name, source }) => {
    const isGeometry = table.columns.find(column => column.name === name)?.type.extension === 'postgis'
    return isGeometry || columns[source]!.hasJsonWithin
  })
  return {
    stream: blocks,
    layout: new BlockLayout(fields),
    rowOf: row => rowOf(row, fields),
    toRow:
      checked.length === 0
        ? undefined
        : row => {
            for (const field of checked) checkField(field, row)
            return row
          },
  }
}

/** Returns the values as they are written. One that its column does not take is as it is in the file. */
function rowOf(row: BlockRow, fields: readonly BlockField[]): SourceRow {
  const made: SourceRow = {}
  for (const field of fields) {
    const value = valueAt(row[BLOCK], field.source, row[INDEX])
    try {
      setOwn(made, field.name, fittedAt(field, row))
    } catch {
      setOwn(made, field.name, value)
    }
  }
  return made
}

function checkField(field: BlockField, row: BlockRow): void {
  const value = valueAt(row[BLOCK], field.source, row[INDEX])
  if (value !== null) fitColumn(value, field.fit, field.name)
}
