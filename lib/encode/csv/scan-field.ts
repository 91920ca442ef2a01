import type { ByteBuffer } from '../wire/byte-buffer.ts'

/**
 * Appends the field of a binary COPY for a value of a file: the same field as the codec's `binary` appends for the
 * value as a string. The value stands in `bytes`, in UTF-8, from `at` to the first byte that is `delimiter`, or to `end`.
 * Returns the place behind it; or MISFIT, with anything appended, for a value that has no exact binary form.
 */
export type ScanField = (out: ByteBuffer, bytes: Buffer, at: number, end: number, delimiter: number) => number

export const MISFIT = -1

/** As the delimiter: the value goes on to `end`, whatever stands in it. */
export const NO_DELIMITER = -1
