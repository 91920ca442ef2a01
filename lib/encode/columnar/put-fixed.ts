import type { Meaning } from '../../columnar/block.ts'
import type { StoredValues } from '../../columnar/stored-values.ts'
import { boolean } from '../codecs/boolean.ts'
import type { FieldCodec } from '../codecs/codec.ts'
import { float4, float8 } from '../codecs/numbers/float.ts'
import { int4, int8 } from '../codecs/numbers/integer.ts'
import { wordsOf } from './integer-reader.ts'

/** Writes values of one size, each of which the column takes. */
export interface FixedValues {
  readonly size: number
  /** Writes the value with this index. */
  readonly put: (view: DataView, at: number, index: number) => void
}

/**
 * Returns how stored values are written straight to their rows, where all of them have the same size and none
 * is refused; undefined for all others.
 */
export function fixedValuesOf(
  stored: StoredValues,
  meaning: Meaning,
  codec: FieldCodec,
): FixedValues | undefined {
  if (meaning !== 'itself') return undefined
  switch (stored.kind) {
    case 'int32':
      return codec === int4 || codec === int8 ? fixedIntegers(stored.values, codec === int8) : undefined
    case 'int64':
      return codec === int8 ? fixedLongs(wordsOf(stored.values)) : undefined
    case 'float32':
    case 'float64': {
      const { values } = stored
      if (codec === float8) return { size: 8, put: (view, at, index) => view.setFloat64(at, values[index]!) }
      // a double may be too large for the column
      if (codec !== float4 || stored.kind === 'float64') return undefined
      return { size: 4, put: (view, at, index) => view.setFloat32(at, values[index]!) }
    }
    case 'boolean': {
      if (codec !== boolean) return undefined
      const { values } = stored
      return { size: 1, put: (view, at, index) => view.setUint8(at, values[index] === 0 ? 0 : 1) }
    }
    default:
      return undefined
  }
}

function fixedIntegers(values: Int32Array, isLong: boolean): FixedValues {
  if (!isLong) return { size: 4, put: (view, at, index) => view.setInt32(at, values[index]! + 0) }
  return {
    size: 8,
    put: (view, at, index) => {
      const value = values[index]!
      view.setInt32(at, value >> 31)
      view.setInt32(at + 4, value)
    },
  }
}

function fixedLongs(words: Int32Array): FixedValues {
  return {
    size: 8,
    put: (view, at, index) => {
      view.setInt32(at, words[index * 2 + 1]!)
      view.setInt32(at + 4, words[index * 2]!)
    },
  }
}
