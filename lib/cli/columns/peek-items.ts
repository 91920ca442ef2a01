import type { Readable } from 'node:stream'
import type { CsvRecord } from '../../csv/record.ts'
import { parsedLine } from '../../sources/json/ndjson.ts'
import { faultOf } from '../../sources/malformed.ts'
import type { SourceRow } from '../../sources/rows.ts'
import type { Source } from '../../sources/source.ts'
import { peekRows } from '../../streams/peek-rows.ts'
import { ItemTable } from '../../values/items/item-table.ts'

/** The first items of a source: records of CSV, lines of NDJSON, or rows. */
export interface PeekedItems {
  /** They may be more than was asked for. */
  readonly items: readonly object[]
  /** Starts from the first item again. */
  readonly whole: Readable
  /** There are no other items. */
  readonly ended: boolean
}

type Reading = Pick<Source, 'records' | 'lines'>

/** Returns the first items of a stream, whose chunks are items or tables of them. */
export async function peekItems(stream: Readable, limit: number): Promise<PeekedItems> {
  const sizeOf = (chunk: object) => (chunk instanceof ItemTable ? chunk.length : 1)
  const { head, whole, ended } = await peekRows(stream, limit, sizeOf)
  const items = head.flatMap(chunk => (chunk instanceof ItemTable ? [...chunk] : [chunk]))
  return { items, whole, ended }
}

/** Returns the row of an item. A malformed or ragged one, which is rejected or ends the load, has none. */
export function rowOfItem({ records, lines }: Reading, item: object): SourceRow | undefined {
  if (records) {
    const record = item as CsvRecord
    return records.raggedness(record) === undefined ? records.rowOf(record) : undefined
  }
  if (faultOf(item) !== undefined) return undefined
  return lines ? parsedLine(item) : (item as SourceRow)
}
