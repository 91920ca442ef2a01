import type { WasmKind } from '../wasm/wasm-kind.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'

/**
 * How the values of one column become bytes. The measure is what `INSERT … VALUES ($1)` through `pg` stores:
 * the same stored value, or an error in both. The few exceptions are listed in parameter.ts.
 */
export interface FieldCodec {
  /**
   * The value as a text parameter, as `pg` would send it. A Buffer holds the bytes of a binary
   * parameter, and null is NULL (`pg` sends NULL for an object whose toPostgres or toJSON returns undefined).
   * Both text COPY and INSERT use it. `value` is neither null nor undefined.
   * @throws what the value's own toPostgres, toJSON or toString throws
   */
  readonly text: (value: unknown) => string | Buffer | null

  /** Absent for types that are only sent as text. */
  readonly binary?: PutField

  /** Writes most values of the type with the same bytes as `binary`, in less time. */
  readonly common?: PutCommon

  /**
   * Views of bytes are values of the type, and go to `text` and `binary`. Otherwise the bytes of a view are
   * the field.
   */
  readonly takesViews?: true

  /**
   * Reads the same values from the bytes of a file as `binary` reads from strings, and appends the same
   * fields. Absent where making a string costs too little to matter, or the type is rare in files.
   */
  readonly scan?: ScanField

  /**
   * For types whose binary form is the text itself, for any text: the bytes that precede the text. A CSV
   * field of such a type can be copied while its quotes are removed.
   */
  readonly textHead?: Uint8Array

  /** The encoder in WebAssembly also reads common values of this type, and writes the same bytes. */
  readonly wasm?: WasmKind

  /**
   * The text form of a binary parameter, for text COPY: the server stores the same for it. Returns undefined
   * for bytes that have none. Absent where the binary form is far from text: such a row goes by INSERT.
   */
  readonly textOfBinary?: (bytes: Buffer) => string | undefined
}

/**
 * Appends the field of a binary COPY for a value: its length and its bytes. Returns false for a value outside
 * the codec's exact grammar: the caller then rewinds, and the server's own parser decides. `value` is neither
 * null, undefined nor, except with `takesViews`, a view of bytes: the bytes of a view are the field, for any
 * type, because `pg` sends them as a binary parameter.
 */
export type PutField = (out: ByteBuffer, value: unknown) => boolean

/**
 * Writes the field of a binary COPY for a value at an index of `out.bytes`, and returns the index after it;
 * NOT_COMMON for a value that is for `binary`. It reserves no room: where the field ends after the bytes do,
 * it returns that index all the same, or throws a RangeError. `out.length` stays, because V8 keeps an index
 * that is passed on in a register, and writes the property of an object to memory for each field.
 */
export type PutCommon = (out: ByteBuffer, at: number, value: unknown) => number

export const NOT_COMMON = -1

/**
 * Appends the field of a binary COPY for a value of a file. The value is in `bytes`, in UTF-8, from `at` to
 * the first byte that is `delimiter`, or to `end`. Returns the index after the value; or
 * NEEDS_TEXT for a value that has no exact binary form: the caller then rewinds.
 */
export type ScanField = (out: ByteBuffer, bytes: Buffer, at: number, end: number, delimiter: number) => number

export const NEEDS_TEXT = -1

/** As the delimiter: the value extends to `end`, whatever bytes it has. */
export const NO_DELIMITER = -1
