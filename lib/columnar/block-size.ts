import type { Block, ColumnChunk } from './block.ts'

/** What a value takes that is not bytes, roughly. */
const VALUE_BYTES = 8

/** Returns about how many bytes the values of a block take. A dictionary's entries are not counted. */
export function sizeOfBlock({ length, columns }: Block): number {
  return columns.reduce((sum, { chunk, start }) => sum + sizeOfRows(chunk, start, start + length), 0)
}

/** @param to the row after the last one */
function sizeOfRows({ values, positions }: ColumnChunk, from: number, to: number): number {
  if (values.kind !== 'bytes') return (to - from) * VALUE_BYTES
  const { starts, ends } = values
  let size = 0
  for (let row = from; row < to; row++) {
    const index = positions ? positions[row]! : row
    if (index >= 0) size += ends[index]! - starts[index]!
  }
  return size
}

/** Returns the first rows of a block, and the others. */
export function splitBlock({ length, columns }: Block, rows: number): [first: Block, rest: Block] {
  const rest = columns.map(({ chunk, start }) => ({ chunk, start: start + rows }))
  return [
    { length: rows, columns },
    { length: length - rows, columns: rest },
  ]
}
