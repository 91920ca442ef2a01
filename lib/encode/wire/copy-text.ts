import type { ByteBuffer } from './byte-buffer.ts'
import { BACKSLASH, NEWLINE, TAB } from './text-format.ts'

const RETURN = 0x0d

/**
 * Up to this length a loop over the characters is faster than a regular expression and a call into the
 * engine.
 */
const SHORT = 40

/**
 * Appends a value of COPY's text format. Backslash, tab, newline and carriage return are the only characters
 * that need an escape: `\N` and `\.` also begin with a backslash.
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
export function putCopyText(out: ByteBuffer, text: string): void {
  const count = text.length
  if (count > SHORT || !putShortAscii(out, text)) {
    out.putUtf8(SPECIAL.test(text) ? text.replace(EACH_SPECIAL, escaped) : text)
  }
}

function putShortAscii(out: ByteBuffer, text: string): boolean {
  out.reserve(text.length * 2)
  const { bytes } = out
  let at = out.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return false
    if (code === BACKSLASH || code === TAB || code === NEWLINE || code === RETURN) {
      bytes[at++] = BACKSLASH
      bytes[at++] = code === TAB ? 0x74 : code === NEWLINE ? 0x6e : code === RETURN ? 0x72 : BACKSLASH
    } else {
      bytes[at++] = code
    }
  }
  out.length = at
  return true
}

const SPECIAL = /[\\\t\n\r]/
const EACH_SPECIAL = /[\\\t\n\r]/g

function escaped(character: string): string {
  return character === '\\' ? '\\\\' : character === '\t' ? '\\t' : character === '\n' ? '\\n' : '\\r'
}
