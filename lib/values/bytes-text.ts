/**
 * How bytes are written in the strings of a row. Debezium's change events carry bytes as text that looks like
 * any other text: only the target column shows that they are bytes.
 */
export type BytesText = 'base64' | 'base64-url-safe' | 'hex'

/**
 * The form of each row's bytes; 'unknown' if nothing names it. A WeakMap, so that rows stay plain objects.
 */
const forms = new WeakMap<object, BytesText | 'unknown'>()

/** Notes how bytes are written in the strings of a row. */
export function noteBytesText(row: object, form: BytesText | 'unknown'): void {
  forms.set(row, form)
}

/** Returns how bytes are written in a row's strings; undefined if they are in PostgreSQL's own form. */
export function bytesTextOf(row: object): BytesText | 'unknown' | undefined {
  return forms.get(row)
}

const FORMS: Readonly<Record<BytesText, { pattern: RegExp; encoding: BufferEncoding; multiple: number }>> = {
  base64: { pattern: /^[A-Za-z0-9+/]*={0,2}$/, encoding: 'base64', multiple: 4 },
  'base64-url-safe': { pattern: /^[A-Za-z0-9_-]*={0,2}$/, encoding: 'base64url', multiple: 1 },
  hex: { pattern: /^[0-9A-Fa-f]*$/, encoding: 'hex', multiple: 2 },
}

/** Returns the bytes that a text encodes; undefined if it is not in that form. */
export function readBytesText(text: string, form: BytesText): Buffer | undefined {
  const { pattern, encoding, multiple } = FORMS[form]
  return text.length % multiple === 0 && pattern.test(text) ? Buffer.from(text, encoding) : undefined
}
