import { Transform } from 'node:stream'
import { runWork } from '../../streams/run-work.ts'
import { SourceError } from '../source-error.ts'
import type { DialectOptions } from './dialect.ts'

/**
 * Replaces a longer delimiter: the unit separator, a control character for this purpose that texts do not
 * contain.
 */
export const FOLDED = '\x1f'
const FOLDED_BYTE = 0x1f
const LINE_FEED = 0x0a
const RETURN = 0x0d

/** Returns true for a delimiter of several bytes, which the splitter does not support. */
export function isLong(delimiter: string): boolean {
  return Buffer.byteLength(delimiter) > 1
}

/**
 * Replaces a longer delimiter by one character, outside of quotes and comments.
 *
 *     start ──quote──▶ quoted ──closing quote──▶ text        text, start ──delimiter──▶ start
 *     line ──comment character──▶ comment ──line end──▶ line
 */
export function foldDelimiter(name: string, delimiter: string, options: DialectOptions): Transform {
  const mark = Buffer.from(delimiter)
  const quote = code('quote' in options ? options.quote : '"')
  const escapedBy = quote === undefined ? undefined : (code(options.escape) ?? quote)
  const comment = code(options.comment)
  let state: 'line' | 'start' | 'text' | 'quoted' | 'comment' = 'line'
  let held: Buffer = Buffer.alloc(0)

  /** Keeps the end of the bytes for later: it may be the start of a delimiter or an escape. */
  function fold(chunk: Buffer, last: boolean): Buffer | undefined {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const until = last ? bytes.length : Math.max(0, bytes.length - Math.max(mark.length, 2) + 1)
    const out = Buffer.allocUnsafe(bytes.length)
    let length = 0
    let at = 0
    while (at < until) {
      const byte = bytes[at]!
      let taken = 1
      if (state === 'quoted') {
        const next = bytes[at + 1]
        if (byte === escapedBy && next !== undefined && (next === quote || next === escapedBy)) taken = 2
        else if (byte === quote) state = 'text'
      } else if (byte === LINE_FEED || byte === RETURN) state = 'line'
      else if (state === 'line' && byte === comment) state = 'comment'
      else if (state !== 'comment') {
        if (byte === mark[0] && mark.equals(bytes.subarray(at, at + mark.length))) {
          state = 'start'
          out[length++] = FOLDED_BYTE
          at += mark.length
          continue
        }
        if (byte === FOLDED_BYTE)
          throw new SourceError(`${name}: it has the control character U+001F outside quotes`)
        state = state !== 'text' && byte === quote ? 'quoted' : 'text'
      }
      for (; taken > 0; taken--) out[length++] = bytes[at++]!
    }
    held = bytes.subarray(at)
    return length === 0 ? undefined : out.subarray(0, length)
  }

  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => runWork(() => fold(chunk, false), done),
    flush: done => runWork(() => fold(Buffer.alloc(0), true), done),
  })
}

function code(character: string | undefined): number | undefined {
  return character?.charCodeAt(0)
}
