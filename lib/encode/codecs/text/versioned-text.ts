import { closeField } from '../../wire/binary-format.ts'
import type { FieldCodec } from '../codec.ts'
import { prepareValue, stringOf } from '../parameter.ts'
import { scanText } from './text.ts'

/** The only version of these forms. */
const VERSION = 1
const HEAD = Uint8Array.of(VERSION)

/**
 * ltree, lquery, ltxtquery and jsonpath: a version, and the text, which the server reads by the same code in
 * both forms.
 * @see https://github.com/postgres/postgres/blob/master/contrib/ltree/ltree_io.c (ltree_recv)
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/jsonpath.c (jsonpath_recv)
 */
export const versionedText: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const text = stringOf(value)
    if (text === undefined) return false
    const start = out.length
    out.putInt32(0)
    out.putBytes(HEAD)
    out.putUtf8(text)
    closeField(out, start)
    return true
  },
  scan: scanText(HEAD),
  textHead: HEAD,
}
