import { isAscii, isUtf8 } from 'node:buffer'
import { closeField } from '../../wire/binary-format.ts'
import { type ByteBuffer, putUtf8At } from '../../wire/byte-buffer.ts'
import { type FieldCodec, NOT_COMMON, type PutCommon, type ScanField } from '../codec.ts'
import { prepareJson, prepareValue, stringOf } from '../parameter.ts'
import { NOT_PLAIN, putJson } from './put-json.ts'

/**
 * The binary form of these types is their text. The server checks and converts both by the same code
 * (textrecv, enum_recv, json_recv), so that every value with a text has a binary form.
 */

/** Returns the text of a binary parameter; undefined where its bytes are not UTF-8. */
const utf8Text = (bytes: Buffer): string | undefined => (isUtf8(bytes) ? bytes.toString('utf8') : undefined)

/** Appends a length and the UTF-8 bytes. */
export function putTextField(out: ByteBuffer, text: string): void {
  const start = openField(out, 4)
  out.putUtf8(text)
  closeField(out, start)
}

/** Leaves room for the bytes that precede the value of a field; returns where the field begins. */
function openField(out: ByteBuffer, headBytes: number): number {
  const start = out.length
  out.reserve(headBytes)
  out.length = start + headBytes
  return start
}

/** Up to this length a loop over the bytes costs less than calls into the engine, which create views. */
const SHORT = 120

/** Appends bytes up to the delimiter; returns its index. */
function putBytes(out: ByteBuffer, bytes: Buffer, at: number, end: number, delimiter: number): number {
  out.reserve(end - at)
  const into = out.bytes
  let to = out.length
  let from = at
  for (const soon = Math.min(end, at + SHORT); from < soon; from++) {
    const byte = bytes[from]!
    if (byte === delimiter) break
    into[to++] = byte
  }
  if (from < end && bytes[from] !== delimiter) {
    const rest = bytes.subarray(from, end)
    const found = delimiter < 0 ? -1 : rest.indexOf(delimiter)
    const length = found < 0 ? rest.length : found
    to += rest.copy(into, to, 0, length)
    from += length
  }
  out.length = to
  return from
}

/** Returns a reader that copies the bytes of a value, after `head`. */
export function scanText(head: Uint8Array): ScanField {
  const headBytes = 4 + head.length
  return (out, bytes, at, end, delimiter) => {
    const start = openField(out, headBytes)
    if (head.length > 0) out.bytes.set(head, start + 4)
    const stop = putBytes(out, bytes, at, end, delimiter)
    closeField(out, start)
    return stop
  }
}

const NO_HEAD = new Uint8Array()

const commonText: PutCommon = (out, at, value) => {
  if (typeof value !== 'string') return NOT_COMMON
  const end = putUtf8At(out.bytes, at + 4, value)
  out.view.setInt32(at, end - at - 4)
  return end
}

/** text, varchar, bpchar, citext and enums. */
export const text: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const string = stringOf(value)
    if (string === undefined) return false
    putTextField(out, string)
    return true
  },
  common: commonText,
  scan: scanText(NO_HEAD),
  wasm: 'text',
  textHead: NO_HEAD,
  textOfBinary: utf8Text,
}

/** A name of more bytes in the server's encoding is cut by namein, and refused by namerecv. */
const NAME_BYTES = 63

/**
 * In any encoding of a server, a character takes at most twice its bytes in UTF-8, and an ASCII character one
 * byte.
 */
function fitsName(bytes: number, isAscii: boolean): boolean {
  return bytes <= (isAscii ? NAME_BYTES : NAME_BYTES / 2)
}

export const name: FieldCodec = {
  text: prepareValue,
  binary(out, value) {
    const string = stringOf(value)
    if (string === undefined) return false
    const start = out.length
    putTextField(out, string)
    const bytes = out.length - start - 4
    return fitsName(bytes, bytes === string.length)
  },
  textOfBinary: bytes => (fitsName(bytes.length, isAscii(bytes)) ? utf8Text(bytes) : undefined),
}

export const json: FieldCodec = {
  text: prepareJson,
  binary(out, value) {
    const start = openField(out, 4)
    if (!putDocument(out, value)) return false
    closeField(out, start)
    return true
  },
  common(out, at, value) {
    const end = putPlainDocument(out, at + 4, value)
    if (end !== NOT_COMMON) out.view.setInt32(at, end - at - 4)
    return end
  },
  scan: scanText(NO_HEAD),
  wasm: 'text',
  textHead: NO_HEAD,
  textOfBinary: utf8Text,
}

/**
 * The only version of the format that jsonb_recv knows.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/jsonb.c
 */
const JSONB_VERSION = 1
const JSONB_HEAD = Uint8Array.of(JSONB_VERSION)

export const jsonb: FieldCodec = {
  text: prepareJson,
  binary(out, value) {
    const start = openField(out, 5)
    out.bytes[start + 4] = JSONB_VERSION
    if (!putDocument(out, value)) return false
    closeField(out, start)
    return true
  },
  common(out, at, value) {
    const end = putPlainDocument(out, at + 5, value)
    out.bytes[at + 4] = JSONB_VERSION
    if (end !== NOT_COMMON) out.view.setInt32(at, end - at - 4)
    return end
  },
  scan: scanText(JSONB_HEAD),
  wasm: 'jsonb',
  textHead: JSONB_HEAD,
  textOfBinary: bytes => (bytes[0] === JSONB_VERSION ? utf8Text(bytes.subarray(1)) : undefined),
}

/** Room for a document that is written without a string, if there is no more. */
const PLAIN_BYTES = 1024

/** Writes a document of plain objects and arrays, see `PutCommon`. */
function putPlainDocument({ bytes }: ByteBuffer, at: number, value: unknown): number {
  if (typeof value !== 'object' || value === null || 'toPostgres' in value) return NOT_COMMON
  const end = putJson(bytes, at, value)
  return end === NOT_PLAIN ? NOT_COMMON : end
}

/** Appends the bytes of `prepareJson(value)`. */
function putDocument(out: ByteBuffer, value: unknown): boolean {
  out.reserve(PLAIN_BYTES)
  const end = putPlainDocument(out, out.length, value)
  if (end !== NOT_COMMON && end <= out.bytes.length) {
    out.length = end
    return true
  }
  const string = prepareJson(value)
  if (typeof string !== 'string') return false
  out.putUtf8(string)
  return true
}
