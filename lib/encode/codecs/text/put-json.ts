import { types } from 'node:util'
import type { ByteBuffer } from '../../wire/byte-buffer.ts'

/** A deeper value is left to the engine, which also distinguishes a circle from a deep tree. */
const MAX_DEPTH = 32

/** For longer strings a call into the engine costs less than a loop. */
const SHORT = 40

/** Smaller integers have at most nine digits. */
const SMALL_INTEGERS_BELOW = 1_000_000_000

/**
 * Appends `JSON.stringify(value)` in UTF-8, in two fifths of the time, because it makes no strings. It only
 * writes plain objects and arrays of plain values. All else (`toJSON`, class instances, functions) is left to
 * the engine.
 * @returns false for a value that it does not write; `out.length` is then unchanged
 * @see https://tc39.es/ecma262/#sec-serializejsonproperty
 */
export function putJson(out: ByteBuffer, value: object): boolean {
  const start = out.length
  const isPut = putTree(out, value, 0)
  if (!isPut) out.length = start
  return isPut
}

function putTree(out: ByteBuffer, value: object, depth: number): boolean {
  if (depth > MAX_DEPTH || 'toJSON' in value) return false
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || (prototype === null && !isRawJson(value))) {
    return putObject(out, value as Record<string, unknown>, depth)
  }
  return prototype === Array.prototype && putArray(out, value as readonly unknown[], depth)
}

/** For `JSON.rawJSON('1.00')`, which Node has from version 21 on. */
const { isRawJSON: isRawJson = () => false } = JSON as { isRawJSON?: (value: unknown) => boolean }

function putObject(out: ByteBuffer, value: Record<string, unknown>, depth: number): boolean {
  let opening = OPEN_BRACE
  for (const key of Object.keys(value)) {
    const item = value[key]
    if (item === undefined) continue
    putByte(out, opening)
    putString(out, key)
    putByte(out, COLON)
    if (!putItem(out, item, depth)) return false
    opening = COMMA
  }
  if (opening === OPEN_BRACE) putByte(out, OPEN_BRACE)
  putByte(out, CLOSE_BRACE)
  return true
}

function putArray(out: ByteBuffer, values: readonly unknown[], depth: number): boolean {
  putByte(out, OPEN_BRACKET)
  for (let i = 0; i < values.length; i++) {
    if (i > 0) putByte(out, COMMA)
    const item = values[i]
    if (item === undefined) out.putUtf8('null')
    else if (!putItem(out, item, depth)) return false
  }
  putByte(out, CLOSE_BRACKET)
  return true
}

function putItem(out: ByteBuffer, item: unknown, depth: number): boolean {
  if (typeof item === 'string') putString(out, item)
  else if (typeof item === 'number') putNumber(out, item)
  else if (typeof item === 'boolean') out.putUtf8(item ? 'true' : 'false')
  else if (item === null) out.putUtf8('null')
  else if (typeof item !== 'object') return false
  else if (types.isDate(item)) return putDate(out, item)
  else return putTree(out, item, depth + 1)
  return true
}

/** The `toJSON` of a Date does not depend on its key, so that the engine can write it alone. */
function putDate(out: ByteBuffer, date: Date): boolean {
  if (date.toJSON !== Date.prototype.toJSON) return false
  out.putUtf8(JSON.stringify(date))
  return true
}

function putString(out: ByteBuffer, text: string): void {
  const count = text.length
  if (count > SHORT) {
    out.putUtf8(JSON.stringify(text))
    return
  }
  out.reserve(count + 2)
  const { bytes } = out
  let at = out.length
  bytes[at++] = QUOTE
  for (let i = 0; i < count; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) {
      out.putUtf8(JSON.stringify(text))
      return
    }
    bytes[at++] = code
  }
  bytes[at++] = QUOTE
  out.length = at
}

function putNumber(out: ByteBuffer, value: number): void {
  if (!(value >= 0 && value < SMALL_INTEGERS_BELOW && value % 1 === 0)) {
    out.putUtf8(Number.isFinite(value) ? String(value) : 'null')
    return
  }
  const digits = digitsOf(value)
  out.reserve(digits)
  const end = out.length + digits
  let rest = value | 0
  for (let at = end - 1; at >= out.length; at--) {
    const tens = (rest / 10) | 0
    out.bytes[at] = ZERO + rest - tens * 10
    rest = tens
  }
  out.length = end
}

function digitsOf(value: number): number {
  let digits = 1
  for (let power = 10; value >= power; power *= 10) digits++
  return digits
}

function putByte(out: ByteBuffer, byte: number): void {
  out.reserve(1)
  out.bytes[out.length++] = byte
}

const QUOTE = 0x22
const COMMA = 0x2c
const ZERO = 0x30
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
