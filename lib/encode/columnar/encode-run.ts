import type { Block } from '../../columnar/block.ts'
import type { Staging } from '../row-contract.ts'
import { COUNT_BYTES, putStagingAt, STAGING_BYTES, tupleFieldsOf } from '../wire/binary-format.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'
import type { ColumnEncoder } from './column-encoder.ts'
import { MAX_RUN } from './field-run.ts'
import { putColumn } from './put-column.ts'
import type { BlockEncoder } from './wasm/block-encoder.ts'

/** Rows that follow each other in one block: from the one with this index in it on. */
export interface Run {
  readonly block: Block
  readonly index: number
  readonly count: number
  /** Returns the ordinal of a row of the run, for a staging table. */
  readonly ordinalOf: (row: number) => number
}

/**
 * Appends the first rows of a run, until `out` has `limit` bytes or a row comes that is for the encoder of
 * single rows. Returns how many it has appended.
 */
export type EncodeRun = (out: ByteBuffer, run: Run, limit: number) => number

/** Returns a function that encodes in WebAssembly; undefined for a table with too many columns. */
export function runInWasm(
  wasm: BlockEncoder,
  encoders: readonly ColumnEncoder[],
  staging: Staging | undefined,
): EncodeRun | undefined {
  if (encoders.length > wasm.maxColumns) return undefined
  return (out, { block, index, count, ordinalOf }, limit) => {
    const columns = encoders.map(encoder => {
      const { chunk, start } = block.columns[encoder.source]!
      return encoder.wasmColumnOf(chunk, start + index, count)
    })
    return wasm.encode({ columns, staging: staging && { shape: staging.shape, ordinalOf } }, out, limit)
  }
}

/**
 * Returns a function that goes column by column: it finds the bytes of each column's values, adds up where
 * each row begins, and then copies one column after the other to its places.
 */
export function runByColumn(encoders: readonly ColumnEncoder[], staging: Staging | undefined): EncodeRun {
  const tupleFields = tupleFieldsOf(encoders.length, staging)
  const sizes = new Int32Array(MAX_RUN)
  const places = new Int32Array(MAX_RUN)

  return (out, run, limit) => {
    const found = locate(run)
    const count = place(found, out.length, limit)
    if (count === 0) return 0
    const end = places[count - 1]! + sizes[count - 1]!
    out.reserve(end - out.length)
    beginTuples(out, places, count, tupleFields)
    for (const encoder of encoders) putColumn(out, places, encoder, count)
    if (staging) endTuples(out, places, count, run.ordinalOf, staging)
    out.length = end
    return count
  }

  /** Finds the values of the rows, and the size of each row. Returns how many rows no codec refuses. */
  function locate({ block, index, count }: Run): number {
    sizes.fill(COUNT_BYTES + (staging ? STAGING_BYTES : 0), 0, count)
    let found = count
    for (const encoder of encoders) {
      const { chunk, start } = block.columns[encoder.source]!
      found = encoder.locate(chunk, start + index, found)
      addSizes(sizes, encoder, found)
    }
    return found
  }

  /** Finds where the rows begin. Returns how many begin before `limit`. */
  function place(found: number, start: number, limit: number): number {
    let at = start
    let row = 0
    for (; row < found && at < limit && sizes[row]! <= MAX_ROW_BYTES; row++) {
      places[row] = at
      at += sizes[row]!
    }
    return row
  }
}

/** A longer row is left to the encoder of single rows, which knows the limits of a message. */
const MAX_ROW_BYTES = 64 << 20

function addSizes(sizes: Int32Array, { fields: { lengths }, head }: ColumnEncoder, count: number): void {
  const more = 4 + head.length
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!
    sizes[i] = sizes[i]! + (length < 0 ? 4 : more + length)
  }
}

function beginTuples({ view }: ByteBuffer, places: Int32Array, count: number, fields: number): void {
  for (let i = 0; i < count; i++) {
    view.setInt16(places[i]!, fields)
    places[i] = places[i]! + COUNT_BYTES
  }
}

function endTuples(
  { view }: ByteBuffer,
  places: Int32Array,
  count: number,
  ordinalOf: Run['ordinalOf'],
  { shape }: Staging,
): void {
  for (let i = 0; i < count; i++) putStagingAt(view, places[i]!, ordinalOf(i), shape)
}
