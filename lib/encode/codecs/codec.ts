import type { ByteBuffer } from '../wire/byte-buffer.ts'

/**
 * How the values of one column become bytes. The measure is what `INSERT … VALUES ($1)` through `pg` stores:
 * the same stored value, or an error in both. The few exceptions are listed in parameter.ts.
 */
export interface Codec {
  /**
   * The value as a text parameter, as `pg` would send it; a Buffer stands for the bytes of a binary parameter;
   * null is NULL (`pg` sends NULL for an object whose toPostgres or toJSON gives nothing).
   * Both text COPY and INSERT use it. `value` is neither null nor undefined.
   * @throws whatever the value's own toPostgres, toJSON or toString throws
   */
  readonly text: (value: unknown) => string | Buffer | null

  /**
   * Appends the field of a binary COPY: its length and its bytes. Returns false, with anything appended, for a
   * value outside the codec's exact grammar: the caller rewinds and lets the server's own parser decide.
   * Absent for types that only travel as text. `value` is neither null, undefined nor a view of bytes:
   * the bytes of a view are the field, for any type, since `pg` sends them as a binary parameter.
   */
  readonly binary?: (out: ByteBuffer, value: unknown) => boolean

  /**
   * The text form of a binary parameter, for text COPY: the server stores the same for it. Returns undefined for
   * bytes that have none, and is absent where the binary form is not close to text: such a row goes by INSERT.
   */
  readonly textOfBinary?: (bytes: Buffer) => string | undefined
}
