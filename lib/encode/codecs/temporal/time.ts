import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import type { FieldCodec } from '../codec.ts'
import { prepareValue } from '../parameter.ts'
import { IsoReader } from './iso-8601.ts'

/**
 * time: microseconds since midnight. timetz: the same, and the offset in seconds west of Greenwich.
 * Exact for strings only, and for timetz only with an offset: without one the session's time zone decides.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/date.c (time_recv, timetz_recv)
 */
export const time: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    // the server's time_in has other rules for an offset
    if (typeof value !== 'string' || !iso.readTime(value) || !Number.isNaN(iso.offset)) return false
    out.putInt32(8)
    putMicros(out)
    return true
  },
}

export const timetz: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    if (typeof value !== 'string' || !iso.readTime(value) || Number.isNaN(iso.offset)) return false
    out.putInt32(12)
    putMicros(out)
    out.putInt32(-iso.offset)
    return true
  },
}

const iso = new IsoReader()

function putMicros(out: ByteBuffer): void {
  const micros = iso.seconds * 1_000_000 + iso.micros
  out.putInt32(Math.floor(micros / 0x1_0000_0000))
  out.putInt32(micros)
}
