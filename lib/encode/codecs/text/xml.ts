import type { FieldCodec } from '../codec.ts'
import { prepareValue, stringOf } from '../parameter.ts'
import { putTextField } from './text.ts'

/**
 * xml: its text. The server reads the encoding in a declaration of the binary form, and ignores that of a
 * text, so that texts with a declaration are left to its xml_in.
 * @see https://www.postgresql.org/docs/current/datatype-xml.html
 */
export const xml: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const text = stringOf(value)
    if (text === undefined || NEEDS_XML_IN.test(text)) return false
    putTextField(out, text)
    return true
  },
}

/** A declaration, or the character that ends a text for libxml. */
const NEEDS_XML_IN = /<\?xml|\0/
