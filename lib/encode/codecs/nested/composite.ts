import type { PgType } from '../../../types.ts'
import { closeField } from '../../wire/binary-format.ts'
import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import type { FieldCodec, PutField } from '../codec.ts'
import { prepareValue, stringOf } from '../parameter.ts'
import { ItemReader } from './quoted-item.ts'

/**
 * Composite types: the number of fields, then the type and the field of each. Exact for the texts of rows
 * whose fields are exact. White space outside of the parentheses is left to the server.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/rowtypes.c (record_recv,
 *   record_in)
 */
export function compositeOf(types: readonly PgType[], codecs: readonly FieldCodec[]): FieldCodec {
  const puts = codecs.map(({ binary }) => binary)
  if (types.length === 0 || !puts.every(put => put !== undefined)) return { text: prepareValue }
  return {
    text: prepareValue,
    binary(out, value) {
      const text = stringOf(value)
      if (text === undefined || text.charCodeAt(0) !== OPEN) return false
      const start = out.length
      out.putInt32(0)
      out.putInt32(types.length)
      if (!putItems(out, text, types, puts)) return false
      closeField(out, start)
      return true
    },
  }
}

function putItems(
  out: ByteBuffer,
  text: string,
  types: readonly PgType[],
  puts: readonly PutField[],
): boolean {
  const last = types.length - 1
  let at = 1
  for (let i = 0; i <= last; i++) {
    const item = items.read(text, at)
    if (item === undefined || text.charCodeAt(items.end) !== (i === last ? CLOSE : COMMA)) return false
    at = items.end + 1
    out.putInt32(types[i]!.oid)
    if (item === null) out.putInt32(-1)
    else if (!puts[i]!(out, item)) return false
  }
  return at === text.length
}

const items = new ItemReader(',)')
const OPEN = 0x28
const CLOSE = 0x29
const COMMA = 0x2c
