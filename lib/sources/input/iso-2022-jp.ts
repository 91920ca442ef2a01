import { TextDecoder } from 'node:util'
import { INVALID } from './keep-invalid.ts'

const LINE_END = 0x0a

/** A sequence that says which characters the next bytes are. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences begin with the control character ESC
const ESCAPE = /\x1b(?:\([A-Z]|\$(?:\([A-Z]|[@AB]))/g

/** ASCII with a yen sign for the backslash. It is the only kind that continues in the next line. */
const ROMAN = '\x1b(J'

/**
 * Returns a decoder of ISO-2022-JP that has `INVALID` for what is not valid. It decodes whole lines, because
 * no character continues in the next line. In a line with an invalid byte, the bytes up to the next escape
 * sequence stay characters of their kind: none of them becomes a quote or a delimiter.
 */
export function iso2022JpKept(): (bytes: Buffer, last: boolean) => string {
  let held: Buffer[] = []
  let kind = ''
  return (bytes, last) => {
    const end = last ? bytes.length : bytes.lastIndexOf(LINE_END) + 1
    const lines = end > 0 || last ? Buffer.concat([...held, bytes.subarray(0, end)]) : undefined
    held = lines ? [bytes.subarray(end)] : [...held, bytes]
    if (!lines) return ''
    const text = `${kind}${lines.toString('latin1')}`
    kind = kindAfter(text)
    return decoded(text) ?? decodedLines(text)
  }
}

/** Returns undefined for a text that is not valid. Each of its characters is a byte. */
function decoded(text: string): string | undefined {
  try {
    return new TextDecoder('iso-2022-jp', { fatal: true }).decode(Buffer.from(text, 'latin1'))
  } catch {
    return undefined
  }
}

function decodedLines(text: string): string {
  let kind = ''
  return text.replace(/[^\n]*\n|[^\n]+/g, line => {
    const whole = `${kind}${line}`
    kind = kindAfter(whole)
    return decoded(whole) ?? decodedStretches(whole)
  })
}

/** Returns what the line after the text begins with. */
function kindAfter(text: string): string {
  return text.match(ESCAPE)?.at(-1) === ROMAN ? ROMAN : ''
}

function decodedStretches(line: string): string {
  const escapes = ['', ...(line.match(ESCAPE) ?? [])]
  return line
    .split(ESCAPE)
    .map((stretch, index) => decodedStretch(escapes[index]!, stretch))
    .join('')
}

function decodedStretch(kind: string, text: string): string {
  const character = kind.startsWith('\x1b$') ? /[\r\n]|[^\r\n]{1,2}/g : /[\s\S]/g
  return text.replace(character, bytes => {
    if (bytes === '\r' || bytes === '\n') return bytes
    return decoded(`${kind}${bytes}`) || INVALID
  })
}
