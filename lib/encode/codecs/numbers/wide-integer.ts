const LIMB_BITS = 24
const LIMB = 1 << LIMB_BITS
const LIMB_BYTES = 3

/** The longest integer, in bytes: 115 digits. Files with decimals of more than 38 digits are rare. */
const MAX_BYTES = 48
const LIMBS = MAX_BYTES / LIMB_BYTES

/**
 * An integer of up to 48 bytes, which is read and divided in place. It has limbs of 24 bits, because a double
 * is exact for a limb and a remainder below 10^8 before it; a bigint of each value would cost several times
 * as much.
 */
export class WideInteger {
  isNegative = false
  /** The magnitude, with the highest limb first. */
  readonly #limbs = new Int32Array(LIMBS)
  /** The first limb that is not 0. */
  #first = LIMBS

  get isZero(): boolean {
    return this.#first === LIMBS
  }

  /** Reads the words of a 64-bit integer. */
  readWords(low: number, high: number): void {
    this.isNegative = high < 0
    // without a branch: all bits are inverted, and 1 is added, where the sign is set
    const sign = high >> 31
    const lowSum = ((low ^ sign) >>> 0) - sign
    const lowest = lowSum >>> 0
    const highest = ((high ^ sign) >>> 0) + (lowSum > 0xffff_ffff ? 1 : 0)
    this.#limbs[LIMBS - 1] = lowest & 0xff_ffff
    this.#limbs[LIMBS - 2] = (lowest >>> 24) | ((highest & 0xffff) << 8)
    this.#limbs[LIMBS - 3] = highest >>> 16
    this.#skipZeros(LIMBS - 3)
  }

  /** Reads big-endian bytes in two's complement. Returns false if they are too many. */
  readBytes(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start > MAX_BYTES) return false
    const isNegative = end > start && bytes[start]! > 0x7f
    const invert = isNegative ? 0xff : 0
    let carry = isNegative ? 1 : 0
    let limb = LIMBS
    for (let at = end; at > start; at -= LIMB_BYTES) {
      let value = (bytes[at - 1]! ^ invert) + carry
      if (at - 2 >= start) value += (bytes[at - 2]! ^ invert) << 8
      if (at - 3 >= start) value += (bytes[at - 3]! ^ invert) << 16
      carry = value >>> LIMB_BITS
      this.#limbs[--limb] = value & (LIMB - 1)
    }
    this.isNegative = isNegative
    this.#skipZeros(limb)
    return true
  }

  #skipZeros(from: number): void {
    this.#first = from
    while (this.#first < LIMBS && this.#limbs[this.#first] === 0) this.#first++
  }

  /** Divides by an integer of up to 10^8, and returns the remainder. */
  divide(divisor: number): number {
    const limbs = this.#limbs
    let rest = 0
    for (let at = this.#first; at < LIMBS; at++) {
      const value = rest * LIMB + limbs[at]!
      const quotient = Math.floor(value / divisor)
      limbs[at] = quotient
      rest = value - quotient * divisor
    }
    this.#skipZeros(this.#first)
    return rest
  }
}
