import type { StoredBytes, StoredValues } from '../../columnar/stored-values.ts'
import { putUnscaled } from '../codecs/numbers/numeric.ts'
import { putWideUnscaled } from '../codecs/numbers/numeric-unscaled.ts'
import { WideInteger } from '../codecs/numbers/wide-integer.ts'
import { integerReader, wordsOf } from './integer-reader.ts'
import type { PutStored } from './stored-contract.ts'

/** Longer integers are not exact where they are divided. */
const MAX_UNSCALED = 1e15

/** The decimals that the shorter way takes. */
const MAX_DECIMALS = 4

/** Appends decimals, which are stored as integers: of 32 bits, of 64 bits, or as big-endian bytes. */
export function putDecimals(stored: StoredValues, decimals: number): PutStored | undefined {
  const unscaledAt = unscaledReader(stored)
  const readWide = wideReader(stored)
  if (!unscaledAt || !readWide || decimals < 0) return undefined
  return (out, index) => {
    if (decimals <= MAX_DECIMALS) {
      const unscaled = unscaledAt(index)
      if (unscaled < MAX_UNSCALED && unscaled > -MAX_UNSCALED) {
        putUnscaled(out, unscaled, decimals)
        return true
      }
    }
    return readWide(index) && putWideUnscaled(out, wide, decimals)
  }
}

/** The integer that is encoded at present. */
const wide = new WideInteger()

/** Returns a reader of unscaled integers as numbers: NaN for those that have more digits. */
function unscaledReader(stored: StoredValues): ((index: number) => number) | undefined {
  if (stored.kind === 'int32') return index => stored.values[index]!
  if (stored.kind === 'int64') return integerReader(stored.values)
  return stored.kind === 'bytes' ? index => bigEndian(stored, index) : undefined
}

/** Reads two's complement. A double is exact for the integers that are used. */
function bigEndian({ bytes, starts, ends }: StoredBytes, index: number): number {
  const start = starts[index]!
  const end = ends[index]!
  if (end === start) return 0
  let value = bytes.readInt8(start)
  for (let at = start + 1; at < end; at++) {
    value = value * 256 + bytes[at]!
    if (value >= MAX_UNSCALED || value <= -MAX_UNSCALED) return Number.NaN
  }
  return value
}

/** Returns a function that reads into `wide`, and returns false for an integer that is too long. */
function wideReader(stored: StoredValues): ((index: number) => boolean) | undefined {
  if (stored.kind === 'int32') {
    const { values } = stored
    return index => {
      wide.readWords(values[index]!, values[index]! >> 31)
      return true
    }
  }
  if (stored.kind === 'int64') {
    const words = wordsOf(stored.values)
    return index => {
      wide.readWords(words[index * 2]!, words[index * 2 + 1]!)
      return true
    }
  }
  if (stored.kind !== 'bytes') return undefined
  const { bytes, starts, ends } = stored
  return index => wide.readBytes(bytes, starts[index]!, ends[index]!)
}
