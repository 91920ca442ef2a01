import { closeField } from '../../wire/binary-format.ts'
import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import type { FieldCodec } from '../codec.ts'
import { prepareValue, stringOf } from '../parameter.ts'
import { putTextField } from '../text/text.ts'

/**
 * hstore: the number of pairs, then the fields of each key and value. Exact for the texts that hstore writes
 * itself, for words without quotes, and for at most one space between the parts. A key that comes twice is
 * left to the server.
 * @see https://github.com/postgres/postgres/blob/master/contrib/hstore/hstore_io.c (hstore_recv, hstore_in)
 */
export const hstore: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const text = stringOf(value)
    if (text === undefined) return false
    const start = out.length
    out.putInt32(0)
    out.putInt32(0)
    const count = putPairs(out, text)
    if (count < 0) return false
    closeField(out, start)
    out.view.setInt32(start + 4, count)
    return true
  },
}

/** Appends the fields of all pairs; returns how many there are, or -1. */
function putPairs(out: ByteBuffer, text: string): number {
  const keys = new Set<string>()
  for (let at = 0; at < text.length; at = PAIR.lastIndex) {
    PAIR.lastIndex = at
    const pair = PAIR.exec(text)
    if (!pair) return -1
    const key = unquote(pair[1]!)
    if (keys.has(key)) return -1
    keys.add(key)
    putTextField(out, key)
    if (/^null$/i.test(pair[2]!)) out.putInt32(-1)
    else putTextField(out, unquote(pair[2]!))
    if (pair[3] === '') return PAIR.lastIndex === text.length ? keys.size : -1
  }
  return text === '' ? 0 : -1 // a comma is the last character
}

const ITEM = /("(?:[^"\\\0]|\\[^\0])*"|\w+)/.source
/** A key, a value, and a comma if another pair follows. */
const PAIR = new RegExp(`${ITEM} ?=> ?${ITEM}(, ?|)`, 'y')

function unquote(item: string): string {
  return item.startsWith('"') ? item.slice(1, -1).replace(/\\(.)/gs, '$1') : item
}
