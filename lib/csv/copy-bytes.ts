/**
 * Copies bytes from memory to memory, of which threads may share one. There `copy` and `set` take one byte at
 * a time, with 0.8 GB/s; `fill` copies with 10 GB/s and more.
 */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
  if (end > start) to.fill(from.subarray(start, end), at, at + end - start)
}
