/**
 * Decimals as Parquet, Avro and Kafka Connect store them: an unscaled integer, and the number of its
 * decimals.
 */

/**
 * No numeric has more than 147,456 digits, which take this many bytes. A longer number takes long to read.
 */
const MAX_BYTES = 61_228

/**
 * Returns the integer of big-endian bytes in two's complement.
 * @throws RangeError for an integer longer than any numeric
 */
export function readUnscaled(bytes: Uint8Array): bigint {
  if (bytes.length > MAX_BYTES) throw new RangeError('The decimal has more digits than any numeric')
  if (bytes.length === 0) return 0n
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`))
}

/** numeric has at most this many digits on either side of the point. */
const MAX_SCALE = 131_072

/** Returns a decimal's text. @throws RangeError for a scale that no numeric has */
export function decimalText(unscaled: bigint, scale: number): string {
  if (Math.abs(scale) > MAX_SCALE) throw new RangeError('The scale of the decimal is out of range')
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale))
  const sign = unscaled < 0n ? '-' : ''
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
