import { closeField } from '../../../wire/binary-format.ts'
import { ByteBuffer } from '../../../wire/byte-buffer.ts'
import { SlabPool } from '../../../wire/slabs.ts'
import type { FieldCodec } from '../../codec.ts'
import { prepareValue } from '../../parameter.ts'
import { isPlainEwkb } from './ewkb.ts'
import { putGeoJson } from './geojson.ts'

/**
 * geometry and geography of PostGIS: EWKB. Exact for EWKB in hex digits, and for GeoJSON objects, which are
 * sent as EWKB in text, too: geography does not read GeoJSON. Well-known text is left to the server.
 * @see https://postgis.net/docs/using_postgis_dbmanagement.html#EWKB_EWKT
 */
export const geometry: FieldCodec = {
  text: value => hexOfGeoJson(value) ?? prepareValue(value),
  binary(out, value) {
    const start = out.length
    out.putInt32(0)
    if (isObject(value)) {
      if (!putGeoJson(out, value)) return false
    } else {
      if (typeof value !== 'string' || !HEX.test(value)) return false
      const bytes = Buffer.from(value, 'hex')
      if (bytes.length * 2 !== value.length || !isPlainEwkb(bytes)) return false
      out.putBytes(bytes)
    }
    closeField(out, start)
    return true
  },
  textOfBinary: bytes => (isPlainEwkb(bytes) ? bytes.toString('hex') : undefined),
}

const HEX = /^0[01][0-9a-fA-F]{8}/

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function hexOfGeoJson(value: unknown): string | undefined {
  if (!isObject(value) || ArrayBuffer.isView(value)) return undefined
  scratch.length = 0
  return putGeoJson(scratch, value) ? scratch.bytes.toString('hex', 0, scratch.length) : undefined
}

const scratch = new ByteBuffer(new SlabPool(4096).lease())
