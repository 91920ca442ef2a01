import type { FieldCodec } from '../codecs/codec.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'

/**
 * Appends the field of the stored value with this index, the same bytes that the codec appends for its value.
 * Returns false, and appends nothing, for a value that is not a common one.
 */
export type PutStored = (out: ByteBuffer, index: number) => boolean

/** The column that values go to. */
export interface StoredTarget {
  readonly codec: FieldCodec
  /** Converts a value of the file to one that the column takes. */
  readonly fit: (value: unknown) => unknown
}
