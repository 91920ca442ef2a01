import { constants } from 'node:buffer'

/** The value of a hex digit by its character code, else -1. */
const HEX_VALUE = Int8Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(digit) ? -1 : digit
})

/** Returns the value of the hex digit at an index of the text, in either case; -1 for another character. */
export function hexAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code < 128 ? HEX_VALUE[code]! : -1
}

/** Bytes that have a hex text: two digits each, after the `\x`. */
const MAX_BYTES = (constants.MAX_STRING_LENGTH - 2) / 2

/**
 * Bytes as bytea's text in hex.
 * @throws RangeError where no string is that long. `toString` notices it after it has written gigabytes of
 *   digits.
 */
export function hexOf(bytes: Buffer): string {
  if (bytes.length > MAX_BYTES)
    throw new RangeError(`${bytes.length} bytes have no text: it would be too long`)
  return `\\x${bytes.toString('hex')}`
}
