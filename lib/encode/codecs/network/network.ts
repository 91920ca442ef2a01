import type { ByteBuffer } from '../../wire/byte-buffer.ts'
import type { FieldCodec } from '../codec.ts'
import { prepareValue } from '../parameter.ts'
import { hexAt } from '../text/hex.ts'

/**
 * inet and cidr: family, bits of netmask, whether it is a cidr, the address. Exact for complete addresses in
 * standard notation. IPv6 with an IPv4 tail, and a cidr with bits to the right of its mask, are left to the
 * server.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/network.c (network_recv)
 */
export const inet: FieldCodec = { text: prepareValue, binary: (out, value) => putNetwork(out, value, false) }
export const cidr: FieldCodec = { text: prepareValue, binary: (out, value) => putNetwork(out, value, true) }

/** PGSQL_AF_INET and PGSQL_AF_INET6 of utils/inet.h: the same on every platform. */
const FAMILY_4 = 2
const FAMILY_6 = 3

const SLASH = 0x2f
const POINT = 0x2e
const COLON = 0x3a
const ZERO = 0x30

/** The index at which the reader of an address stopped: of a slash, or the end of the text. */
let end = 0

function putNetwork(out: ByteBuffer, value: unknown, isCidr: boolean): boolean {
  if (typeof value !== 'string') return false
  const start = out.length
  out.reserve(24)
  const { bytes } = out
  const isSix = value.indexOf(':') >= 0
  if (!(isSix ? readSix(value, bytes, start + 8) : readFour(value, bytes, start + 8))) return false
  const size = isSix ? 16 : 4
  const bits = end === value.length ? size * 8 : readMask(value, end + 1)
  if (!(bits <= size * 8) || (isCidr && hasBitsAfter(bytes, start + 8, size, bits))) return false
  out.view.setInt32(start, 4 + size)
  bytes[start + 4] = isSix ? FAMILY_6 : FAMILY_4
  bytes[start + 5] = bits
  bytes[start + 6] = isCidr ? 1 : 0
  bytes[start + 7] = size
  out.length = start + 8 + size
  return true
}

/** Reads four numbers up to 255, without leading zeros. */
function readFour(text: string, bytes: Uint8Array, start: number): boolean {
  let at = 0
  for (let octet = 0; octet < 4; octet++) {
    if (octet > 0 && text.charCodeAt(at++) !== POINT) return false
    const first = at
    let number = 0
    for (let digit = digitAt(text, at); digit >= 0; digit = digitAt(text, ++at)) number = number * 10 + digit
    if (at === first || at > first + 3 || number > 255) return false
    if (at > first + 1 && text.charCodeAt(first) === ZERO) return false
    bytes[start + octet] = number
  }
  end = at
  return at === text.length || text.charCodeAt(at) === SLASH
}

/** Reads a number of up to three digits, without leading zeros; returns NaN for anything else. */
function readMask(text: string, from: number): number {
  const count = text.length - from
  if (count < 1 || count > 3 || (count > 1 && text.charCodeAt(from) === ZERO)) return Number.NaN
  let bits = 0
  for (let at = from; at < text.length; at++) {
    const digit = digitAt(text, at)
    if (digit < 0) return Number.NaN
    bits = bits * 10 + digit
  }
  return bits
}

function digitAt(text: string, at: number): number {
  const digit = text.charCodeAt(at) - ZERO
  return digit >= 0 && digit <= 9 ? digit : -1
}

/** Reads eight groups of up to four hex digits; `::` may replace one run of zero groups. */
function readSix(text: string, bytes: Uint8Array, start: number): boolean {
  const slash = text.indexOf('/')
  end = slash < 0 ? text.length : slash
  let at = 0
  let groups = 0
  let gap = -1
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false
    gap = 0
    at = 2
  }
  while (at < end) {
    const first = at
    let group = 0
    for (let digit = hexAt(text, at); digit >= 0 && at < end; digit = hexAt(text, ++at)) {
      group = (group << 4) | digit
      if (at - first > 3) return false
    }
    if (at === first || groups === 8) return false
    bytes[start + groups * 2] = group >> 8
    bytes[start + groups * 2 + 1] = group & 0xff
    groups++
    if (at === end) break
    if (text.charCodeAt(at++) !== COLON) return false
    if (at < end && text.charCodeAt(at) === COLON) {
      if (gap >= 0) return false
      gap = groups
      at++
    } else if (at === end) {
      return false // a single colon at the end
    }
  }
  if (gap < 0) return groups === 8
  if (groups === 8) return false
  const tail = (groups - gap) * 2
  bytes.copyWithin(start + 16 - tail, start + gap * 2, start + groups * 2)
  bytes.fill(0, start + gap * 2, start + 16 - tail)
  return true
}

function hasBitsAfter(bytes: Uint8Array, start: number, size: number, bits: number): boolean {
  for (let i = bits >> 3; i < size; i++) {
    const kept = i === bits >> 3 ? bits & 7 : 0
    if (bytes[start + i]! & (0xff >> kept)) return true
  }
  return false
}
