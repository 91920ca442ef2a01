import type { Block, ColumnChunk } from './block.ts'
import type { Dictionary } from './stored-values.ts'

/** What a value takes that is not bytes, roughly. */
const VALUE_BYTES = 8

/** Returns about how many bytes the values of a block take when they are sent. */
export function sizeOfBlock({ length, columns }: Block): number {
  return columns.reduce((sum, { chunk, start }) => sum + sizeOfRows(chunk, start, start + length), 0)
}

/** @param to the row after the last one */
function sizeOfRows({ values, positions }: ColumnChunk, from: number, to: number): number {
  if (values.kind === 'dictionary') return (to - from) * sizeOfEntry(values.dictionary)
  if (values.kind !== 'bytes' && values.kind !== 'any') return (to - from) * VALUE_BYTES
  let size = 0
  for (let row = from; row < to; row++) {
    const index = positions ? positions[row]! : row
    if (index < 0) continue
    size +=
      values.kind === 'any' ? sizeOfNested(values.values[index]) : values.ends[index]! - values.starts[index]!
  }
  return size
}

/** Returns the size of a dictionary's entries, on average: to look at each row's would cost too much. */
function sizeOfEntry({ values, length }: Dictionary): number {
  return values.kind === 'bytes' && length > 0
    ? Math.max(VALUE_BYTES, values.bytes.length / length)
    : VALUE_BYTES
}

/** Returns about the size of a list or a struct. A list of numbers is not looked through. */
function sizeOfNested(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return VALUE_BYTES
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (Array.isArray(value) && typeof value[0] === 'number') return VALUE_BYTES * value.length
  const within: unknown[] = Array.isArray(value) ? value : Object.values(value)
  return within.reduce<number>((sum, each) => sum + sizeOfNested(each), VALUE_BYTES)
}

/** Returns the first rows of a block, and the others. */
export function splitBlock({ length, columns }: Block, rows: number): [first: Block, rest: Block] {
  const rest = columns.map(({ chunk, start }) => ({ chunk, start: start + rows }))
  return [
    { length: rows, columns },
    { length: length - rows, columns: rest },
  ]
}
