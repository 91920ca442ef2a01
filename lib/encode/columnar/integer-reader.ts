export const TWO_32 = 0x1_0000_0000

/** Returns a reader of integers of 64 bits as the nearest numbers. */
export function integerReader(values: BigInt64Array): (index: number) => number {
  const words = wordsOf(values)
  return index => words[index * 2 + 1]! * TWO_32 + (words[index * 2]! >>> 0)
}

/** The same memory as words of 32 bits, the lower one first. */
export function wordsOf({ buffer, byteOffset, length }: BigInt64Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length * 2)
}
