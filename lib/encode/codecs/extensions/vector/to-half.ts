const scratch = new DataView(new ArrayBuffer(4))

/** Infinity as a float of 16 bits, without its sign. */
const INFINITE = 0x7c00

/**
 * Returns the bits of the float of 16 bits that is nearest to one of 32 bits; of two, the one whose last bit
 * is zero. Returns -1 for a float that is too large.
 * @see https://en.wikipedia.org/wiki/Half-precision_floating-point_format
 */
export function toHalf(float: number): number {
  scratch.setFloat32(0, float)
  const bits = scratch.getUint32(0)
  const sign = (bits >>> 16) & 0x8000
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15
  const fraction = bits & 0x7fffff
  if (exponent >= 31) return -1
  // a carry out of the fraction makes the next exponent, which is right
  if (exponent > 0) return finite(sign, (exponent << 10) | (fraction >>> 13), fraction, 13)
  if (exponent < -10) return sign
  const whole = fraction | 0x800000
  return finite(sign, whole >>> (14 - exponent), whole, 14 - exponent)
}

/**
 * Rounds `kept` to the nearest float, by the lowest `bits` of `dropped`, which it lacks. Halfway between two
 * floats it takes the even one.
 */
function finite(sign: number, kept: number, dropped: number, bits: number): number {
  const rest = dropped & ((1 << bits) - 1)
  const middle = 1 << (bits - 1)
  const rounded = rest > middle || (rest === middle && kept % 2 === 1) ? kept + 1 : kept
  return rounded >= INFINITE ? -1 : sign | rounded
}
