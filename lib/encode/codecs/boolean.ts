import type { ByteBuffer } from '../wire/byte-buffer.ts'
import { type FieldCodec, NOT_COMMON, type PutCommon, type PutField, type ScanField } from './codec.ts'
import { prepareValue } from './parameter.ts'
import { scanString } from './text/scan-string.ts'

const binary: PutField = (out, value) => {
  const bit = toBit(value)
  if (bit < 0) return false
  putBit(out, bit)
  return true
}

const common: PutCommon = (out, at, value) => {
  if (typeof value !== 'boolean') return NOT_COMMON
  out.view.setInt32(at, 1)
  out.bytes[at + 4] = value ? 1 : 0
  return at + 5
}

function putBit(out: ByteBuffer, bit: number): void {
  out.reserve(5)
  out.view.setInt32(out.length, 1)
  out.bytes[out.length + 4] = bit
  out.length += 5
}

function toBit(value: unknown): number {
  switch (value) {
    case true:
    case 1:
    case 1n:
    case 'true':
    case 't':
    case 'yes':
    case 'y':
    case 'on':
    case '1':
      return 1
    case false:
    case 0:
    case 0n:
    case 'false':
    case 'f':
    case 'no':
    case 'n':
    case 'off':
    case '0':
      return 0
    default:
      return -1
  }
}

/** Longer words come first: `true` also begins with `t`. */
const WORDS = (
  [
    ['true', 1],
    ['false', 0],
    ['t', 1],
    ['f', 0],
    ['1', 1],
    ['0', 0],
  ] as const
).map(([spelling, bit]) => ({ spelling: Buffer.from(spelling), bit }))

const slow = scanString(binary)

/** Reads `t` and `f` as PostgreSQL writes them, `true` and `false` as most others do, 1 and 0. */
const scan: ScanField = (out, bytes, at, end, delimiter) => {
  const word = WORDS.find(({ spelling }) => startsWith(bytes, at, end, spelling))
  const stop = word ? at + word.spelling.length : at
  if (!word || (stop < end && bytes[stop] !== delimiter)) return slow(out, bytes, at, end, delimiter)
  putBit(out, word.bit)
  return stop
}

function startsWith(bytes: Buffer, at: number, end: number, word: Buffer): boolean {
  if (end - at < word.length) return false
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false
  return true
}

/**
 * One byte. Strings are those that boolin takes in full and lower case; prefixes and blanks are left to the
 * server.
 * @see https://www.postgresql.org/docs/current/datatype-boolean.html
 */
export const boolean: FieldCodec = { text: prepareValue, binary, common, scan, wasm: 'boolean' }
