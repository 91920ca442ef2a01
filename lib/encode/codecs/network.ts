import { isIPv6 } from 'node:net'
import type { ByteBuffer } from '../byte-buffer.ts'
import type { Codec } from '../codec.ts'
import { prepareValue } from '../parameter.ts'

/**
 * inet and cidr: family, bits of netmask, whether it is a cidr, the address. Exact for complete addresses in
 * standard notation; IPv6 with an IPv4 tail, and a cidr with bits right of its mask, are left to the server.
 * @see https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/network.c (network_recv)
 */
export const inet: Codec = { text: prepareValue, binary: (out, value) => putNetwork(out, value, false) }
export const cidr: Codec = { text: prepareValue, binary: (out, value) => putNetwork(out, value, true) }

/** PGSQL_AF_INET and PGSQL_AF_INET6 of utils/inet.h: the same on every platform. */
const FAMILY_4 = 2
const FAMILY_6 = 3

const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})(?:\/(0|[1-9]\d?))?$/
const IPV6 = /^([0-9a-fA-F:]+)(?:\/(0|[1-9]\d{0,2}))?$/

function putNetwork(out: ByteBuffer, value: unknown, isCidr: boolean): boolean {
  if (typeof value !== 'string') return false
  const start = out.length
  out.reserve(24)
  const { bytes } = out
  let at = start + 8
  const four = IPV4.exec(value)
  const six = four ? null : IPV6.exec(value)
  if (four) {
    for (let i = 1; i <= 4; i++) {
      const octet = Number(four[i])
      if (octet > 255) return false
      bytes[at++] = octet
    }
  } else if (six?.[1] !== undefined && isIPv6(six[1])) {
    for (const group of groupsOf(six[1])) {
      bytes[at++] = group >> 8
      bytes[at++] = group & 0xff
    }
  } else {
    return false
  }
  const size = at - start - 8
  const mask = (four ? four[5] : six?.[2]) ?? size * 8
  const bits = Number(mask)
  if (bits > size * 8 || (isCidr && hasBitsAfter(bytes, start + 8, size, bits))) return false
  out.view.setInt32(start, 4 + size)
  bytes[start + 4] = four ? FAMILY_4 : FAMILY_6
  bytes[start + 5] = bits
  bytes[start + 6] = isCidr ? 1 : 0
  bytes[start + 7] = size
  out.length = at
  return true
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16))
  const first = parse(head)
  if (tail === undefined) return first
  const last = parse(tail)
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
}

function hasBitsAfter(bytes: Uint8Array, start: number, size: number, bits: number): boolean {
  for (let i = bits >> 3; i < size; i++) {
    const kept = i === bits >> 3 ? bits & 7 : 0
    if (bytes[start + i]! & (0xff >> kept)) return true
  }
  return false
}
