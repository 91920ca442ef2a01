import { types } from 'node:util'
import type { Codec } from '../../types.ts'
import type { FieldCodec } from './codec.ts'

/**
 * Makes a codec of one that the caller has written. What it throws, and what it returns against its contract,
 * is an error of the row's column.
 */
export function ownCodec(own: Codec): FieldCodec {
  const codec: FieldCodec = {
    takesViews: true,
    text(value) {
      const text: unknown = own.text(value)
      if (typeof text !== 'string') throw new TypeError('`text` of the codec did not return a string')
      return text
    },
  }
  if (!own.binary) return codec
  return {
    ...codec,
    binary(out, value) {
      const bytes: unknown = own.binary!(value)
      if (bytes === undefined) return false
      if (!types.isUint8Array(bytes))
        throw new TypeError('`binary` of the codec returned neither a Uint8Array nor undefined')
      out.putInt32(bytes.length)
      out.putBytes(bytes)
      return true
    },
  }
}

/** The caller's codecs, by the OID of their type. */
export type OwnCodecs = ReadonlyMap<number, FieldCodec>

export const NO_OWN_CODECS: OwnCodecs = new Map()
