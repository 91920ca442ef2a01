import type { ByteBuffer } from './byte-buffer.ts'

/**
 * How the values of one column become bytes. The measure is what `INSERT … VALUES ($1)` through `pg` stores:
 * the same stored value, or an error in both.
 */
export interface Codec {
  /**
   * The value as a text parameter, as `pg` would send it; a Buffer stands for the bytes of a binary parameter.
   * Both text COPY and INSERT use it. `value` is neither null nor undefined.
   * @throws whatever the value's own toPostgres, toJSON or toString throws
   */
  readonly text: (value: unknown) => string | Buffer

  /**
   * Appends the field of a binary COPY: its length and its bytes. Returns false, with anything appended, for a
   * value outside the codec's exact grammar: the caller rewinds and lets the server's own parser decide.
   * Absent for types that only travel as text. `value` is neither null nor undefined.
   */
  readonly binary?: (out: ByteBuffer, value: unknown) => boolean
}
