import type { Block, ColumnChunk } from './block.ts'
import type { StoredBytes } from './stored-values.ts'

type Positions = ColumnChunk['positions']

/** What a value takes that is not bytes, roughly. */
const VALUE_BYTES = 8

/** Returns about how many bytes the values of a block take when they are sent. */
export function sizeOfBlock({ length, columns }: Block): number {
  return columns.reduce((sum, { chunk, start }) => sum + sizeOfRows(chunk, start, start + length), 0)
}

/** Of so many rows or more, one in 61 is looked at: to look at all of them took 3 % of a load. */
const MANY_ROWS = 500
/** A prime, so that rows of all kinds are seen where short and long ones alternate. */
const STEP = 61

/** @param to the row after the last one */
function sizeOfRows({ values, positions }: ColumnChunk, from: number, to: number): number {
  if (values.kind === 'bytes') return sizeOfTexts(values, positions, from, to)
  const indexes = values.kind === 'dictionary' ? values.indexes : undefined
  const stored = values.kind === 'dictionary' ? values.dictionary.values : values
  if (stored.kind !== 'bytes' && stored.kind !== 'any') return (to - from) * VALUE_BYTES
  const step = to - from < MANY_ROWS ? 1 : STEP
  let size = 0
  let rows = 0
  for (let row = from; row < to; row += step, rows++) {
    const index = positions ? positions[row]! : row
    if (index < 0) continue
    const at = indexes ? indexes[index]! : index
    size += stored.kind === 'bytes' ? stored.ends[at]! - stored.starts[at]! : sizeOfNested(stored.values[at])
  }
  return (size / rows) * (to - from)
}

/** The texts of a page follow each other: their size, with the lengths between them, is that of the whole. */
function sizeOfTexts({ starts, ends }: StoredBytes, positions: Positions, from: number, to: number): number {
  let first = from
  let last = to - 1
  while (positions && first < last && positions[first]! < 0) first++
  while (positions && first < last && positions[last]! < 0) last--
  const [start, end] = positions ? [positions[first]!, positions[last]!] : [first, last]
  return end < 0 ? 0 : ends[end]! - starts[start]!
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
