import { TextDecoder } from 'node:util'
import { LINE_FEED } from '../../values/text/ascii.ts'
import { INVALID } from './keep-invalid.ts'

/** A sequence that says which characters the next bytes are. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences begin with the control character ESC
const ESCAPE = /\x1b(?:\([A-Z]|\$(?:\([A-Z]|[@AB]))/g

/** ASCII with a yen sign for the backslash. It is the only kind that continues in the next line. */
const ROMAN = '\x1b(J'

/** A line of more bytes is decoded in parts, so that memory is bounded. */
const MAX_HELD_BYTES = 1024 * 1024

/**
 * Returns a decoder of ISO-2022-JP that has `INVALID` for what is not valid. It decodes whole lines, because
 * no character continues in the next line. In a line with an invalid byte, the bytes up to the next escape
 * sequence stay characters of their kind: none of them becomes a quote or a delimiter.
 */
export function iso2022JpKeepingInvalid(): (bytes: Buffer, last: boolean) => string {
  let held: Buffer[] = []
  let heldBytes = 0
  let kind = ''
  return (bytes, last) => {
    held.push(bytes)
    heldBytes += bytes.length
    const endsLine = last || bytes.includes(LINE_FEED)
    if (!endsLine && heldBytes < MAX_HELD_BYTES) return ''
    const all = `${kind}${Buffer.concat(held).toString('latin1')}`
    const end = last ? all.length : endsLine ? all.lastIndexOf('\n') + 1 : endOfPart(all)
    const text = all.slice(0, end)
    kind = endsLine ? kindAfter(text) : (text.match(ESCAPE)?.at(-1) ?? '')
    held = [Buffer.from(all.slice(end), 'latin1')]
    heldBytes = all.length - end
    return decoded(text) ?? decodedLines(text)
  }
}

/** Returns where the first part of a long line ends: before a sequence, or between two characters. */
function endOfPart(text: string): number {
  const sequenceAt = text.lastIndexOf('\x1b')
  if (sequenceAt > 0 && text.length - sequenceAt < MAX_HELD_BYTES / 2) return sequenceAt
  const [sequence = ''] = text.slice(Math.max(0, sequenceAt)).match(ESCAPE) ?? []
  const start = Math.max(0, sequenceAt) + sequence.length
  return start + Math.floor((text.length - start) / 2) * 2 // a character has one byte or two
}

/** A sequence before another one has no effect, but TextDecoder takes it for an error. */
const WITHOUT_EFFECT = new RegExp(`${ESCAPE.source}(?=${ESCAPE.source})`, 'g')

const fatalDecoder = () => new TextDecoder('iso-2022-jp', { fatal: true })
/** Made when it is needed, which takes 3 ms. */
let decoder: TextDecoder | undefined

/** Returns undefined for a text that is not valid. Each of its characters is a byte. */
function decoded(text: string): string | undefined {
  decoder ??= fatalDecoder()
  try {
    return decoder.decode(Buffer.from(text.replace(WITHOUT_EFFECT, ''), 'latin1'))
  } catch {
    decoder = fatalDecoder() // whatever state the error has left
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
  const whole = decoded(`${kind}${text}`)
  if (whole !== undefined) return whole
  const character = kind.startsWith('\x1b$') ? /[\r\n]|[^\r\n]{1,2}/g : /[\s\S]/g
  return text.replace(character, bytes => {
    if (bytes === '\r' || bytes === '\n') return bytes
    return decoded(`${kind}${bytes}`) || INVALID
  })
}
