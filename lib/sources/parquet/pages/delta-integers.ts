import type { DataReader } from 'hyparquet'
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js'
import { readVarInt, readZigZagBigInt } from 'hyparquet/src/thrift.js'

/**
 * Reads integers of 32 bits in the encoding DELTA_BINARY_PACKED. DuckDB writes the first one of a page as one
 * of 64 bits, and an unsigned one from 2 ** 31 on then has a bit more than hyparquet reads: all values of the
 * page would be off by 2 ** 31.
 */
export function readDeltaInt32(reader: DataReader, count: number): Int32Array {
  const first = firstOf({ ...reader })
  const values = new Int32Array(count)
  deltaBinaryUnpack(reader, count, values)
  const missing = first - values[0]!
  if (missing !== 0) for (let i = 0; i < count; i++) values[i] = values[i]! + missing
  return values
}

/** Returns the lower 32 bits of the first value, which follows three numbers. */
function firstOf(reader: DataReader): number {
  for (let number = 0; number < 3; number++) readVarInt(reader)
  return Number(BigInt.asIntN(32, readZigZagBigInt(reader)))
}
