import { zlib } from './zlib.ts'

/** Why the bytes are not complete gzip data. The message continues `the gzip data`. */
export class GzipFault extends Error {}

/** Bits of FLG, the fourth byte of a member. */
const HEADER_CHECKSUM = 2
const EXTRA = 4
const NAME = 8
const COMMENT = 16
const RESERVED = 0xe0

const FIXED_BYTES = 10
const DEFLATE = 8

/**
 * Returns the length of a gzip member's header; undefined if it is not complete.
 * @throws GzipFault for bytes that `gzip -dc` rejects too
 * @see https://www.rfc-editor.org/rfc/rfc1952#section-2.3
 */
export function gzipHeaderBytes(bytes: Buffer): number | undefined {
  if (bytes.length < FIXED_BYTES) return undefined
  const flags = bytes[3]!
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== DEFLATE || flags & RESERVED) {
    throw new GzipFault('is damaged')
  }
  let at: number | undefined = FIXED_BYTES
  if (flags & EXTRA) at = extraEnd(bytes, at)
  if (flags & NAME) at = textEnd(bytes, at)
  if (flags & COMMENT) at = textEnd(bytes, at)
  if (at === undefined || bytes.length < at) return undefined
  return flags & HEADER_CHECKSUM ? checksumEnd(bytes, at) : at
}

function extraEnd(bytes: Buffer, at: number): number | undefined {
  return bytes.length < at + 2 ? undefined : at + 2 + bytes.readUInt16LE(at)
}

/** A text ends with a zero byte. */
function textEnd(bytes: Buffer, at: number | undefined): number | undefined {
  if (at === undefined || at > bytes.length) return undefined
  const zero = bytes.indexOf(0, at)
  return zero < 0 ? undefined : zero + 1
}

function checksumEnd(bytes: Buffer, at: number): number | undefined {
  if (bytes.length < at + 2) return undefined
  if ((zlib().crc32(bytes.subarray(0, at)) & 0xffff) === bytes.readUInt16LE(at)) return at + 2
  throw new GzipFault('is damaged')
}
