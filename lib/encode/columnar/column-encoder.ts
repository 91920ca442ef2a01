import type { ColumnChunk, Meaning } from '../../columnar/block.ts'
import type { BlockField } from '../../columnar/block-row.ts'
import {
  Dictionary,
  type Indexes,
  type StoredBytes,
  type StoredValues,
} from '../../columnar/stored-values.ts'
import type { PgType } from '../../types.ts'
import type { FieldCodec } from '../codecs/codec.ts'
import { timestamp, timestamptz } from '../codecs/temporal/timestamp.ts'
import { bytea } from '../codecs/text/bytea.ts'
import { json, jsonb } from '../codecs/text/text.ts'
import { putNull } from '../wire/binary-format.ts'
import { ByteBuffer } from '../wire/byte-buffer.ts'
import { FieldRun, NULL_LENGTH } from './field-run.ts'
import { type FixedValues, fixedValuesOf } from './put-fixed.ts'
import { putStoredOf } from './put-stored.ts'
import type { StoredTarget } from './stored-contract.ts'
import type { WasmColumn } from './wasm/block-encoder.ts'
import { MADE, storedKindOf } from './wasm/stored-kind.ts'

const LENGTH_BYTES = 4
const JSON_CODECS: readonly FieldCodec[] = [json, jsonb]
const NO_HEAD = new Uint8Array()

/** The largest memory for fields that is used again. */
const MAX_KEPT_BYTES = 1 << 20

/** Where fields are in `bytes`, without their lengths. */
interface Fields {
  readonly bytes: Buffer
  readonly starts: Int32Array
  /** NULL_LENGTH for a value that converts to NULL, REFUSED for one that the codec refuses. */
  readonly lengths: Int32Array
}

/** The fields of a dictionary's values. They are made once, however many rows refer to them. */
interface DictionaryFields extends Fields {
  readonly dictionary: Dictionary
  /** The fields as values. */
  made: Dictionary | undefined
}

const REFUSED = -2

/**
 * Finds or makes the values of one column as they are in a binary COPY, without their lengths. Bytes that are
 * in the file as COPY has them are not copied, values of a dictionary are encoded once, and all others are
 * encoded for some rows at a time: directly where that is possible, else by the column's codec.
 */
export class ColumnEncoder {
  readonly fields = new FieldRun()
  /** The index of the column in blocks. */
  readonly source: number
  /** Set where values are written straight to their rows: the starts of `fields` are then their indexes. */
  fixed: FixedValues | undefined
  /** The bytes between the length of a field and its value. */
  head: Uint8Array = NO_HEAD
  readonly #target: StoredTarget
  /** For times without a zone. */
  readonly #localTarget: StoredTarget
  readonly #codec: FieldCodec
  #made: ByteBuffer | undefined
  /** The fields of `#dictionary`. A file of small row groups has thousands of dictionaries. */
  #entries: ByteBuffer | undefined
  #dictionary: DictionaryFields | undefined

  constructor({ source, fit }: BlockField, codec: FieldCodec, { inUtc }: Pick<PgType, 'inUtc'>) {
    this.source = source
    this.#target = { codec, fit }
    this.#codec = codec
    // in another zone only the server knows which instant a local time is
    this.#localTarget = inUtc && codec === timestamptz ? { codec: timestamp, fit } : this.#target
  }

  /**
   * Finds the values of `count` rows of a chunk. Returns how many rows it has found: those before the first
   * one whose value the codec refuses.
   */
  locate(chunk: ColumnChunk, from: number, count: number): number {
    const { values, meaning } = chunk
    this.head = NO_HEAD
    this.fixed = fixedValuesOf(values, meaning, this.#codec)
    if (this.fixed) {
      this.#locateFixed(this.fixed, chunk, from, count)
      return count
    }
    if (values.kind === 'dictionary') {
      const stored = values.dictionary.values
      const head = stored.kind === 'bytes' ? this.#headFor(meaning) : undefined
      if (head) this.head = head
      const fields = this.#fieldsOf(chunk, values.dictionary, head && (stored as StoredBytes))
      return this.#locateEntries(values.indexes, fields, chunk, from, count)
    }
    const head = values.kind === 'bytes' ? this.#headFor(meaning) : undefined
    if (head) {
      this.head = head
      this.#locateBytes(values as StoredBytes, chunk, from, count)
      return count
    }
    return this.#make(chunk, from, count)
  }

  /**
   * Returns `count` rows of a chunk for the encoder in WebAssembly: the values as they are stored where it
   * takes them, else their fields. Fields may be missing from the first one on that the codec refuses.
   */
  wasmColumnOf(chunk: ColumnChunk, start: number, count: number): WasmColumn {
    const { values, positions, meaning } = chunk
    const stored = values.kind === 'dictionary' ? values.dictionary.values : values
    const kind = storedKindOf(stored, meaning, this.#targetOf(meaning).codec, this.#headFor(meaning))
    if (kind) return { values, positions, start, count, kind }
    if (values.kind === 'dictionary') {
      const fields = this.#fieldsOf(chunk, values.dictionary, undefined)
      fields.made ??= new Dictionary(madeOf(fields, values.dictionary.length))
      const { indexes } = values
      const made: StoredValues = { kind: 'dictionary', indexes, dictionary: fields.made }
      return { values: made, positions, start, count, kind: MADE }
    }
    const found = this.#make(chunk, start, count)
    return { values: madeOf(this.fields, found), positions: undefined, start: 0, count: found, kind: MADE }
  }

  /** Returns what precedes values that are in the file as they are in a COPY; undefined for others. */
  #headFor(meaning: ColumnChunk['meaning']): Uint8Array | undefined {
    if (meaning === 'text') return this.#codec.textHead
    // to other columns a list may be an array, even to those that take any text, such as an enum
    if (meaning === 'json') return JSON_CODECS.includes(this.#codec) ? this.#codec.textHead : undefined
    return meaning === 'bytes' && this.#codec === bytea ? NO_HEAD : undefined
  }

  #locateFixed({ size }: FixedValues, { positions }: ColumnChunk, from: number, count: number): void {
    const { starts, lengths } = this.fields
    for (let i = 0; i < count; i++) {
      const index = positions ? positions[from + i]! : from + i
      starts[i] = index
      lengths[i] = index < 0 ? NULL_LENGTH : size
    }
  }

  #locateBytes(values: StoredBytes, { positions }: ColumnChunk, from: number, count: number): void {
    const { starts, lengths } = this.fields
    this.fields.read(values.bytes)
    for (let i = 0; i < count; i++) {
      const index = positions ? positions[from + i]! : from + i
      if (index < 0) lengths[i] = NULL_LENGTH
      else {
        starts[i] = values.starts[index]!
        lengths[i] = values.ends[index]! - values.starts[index]!
      }
    }
  }

  #locateEntries(
    indexes: Indexes,
    entries: DictionaryFields,
    { positions }: ColumnChunk,
    from: number,
    count: number,
  ): number {
    const { starts, lengths } = this.fields
    this.fields.read(entries.bytes)
    for (let i = 0; i < count; i++) {
      const index = positions ? positions[from + i]! : from + i
      if (index < 0) {
        lengths[i] = NULL_LENGTH
        continue
      }
      const entry = indexes[index]!
      const length = entries.lengths[entry]!
      if (length === REFUSED) return i
      starts[i] = entries.starts[entry]!
      lengths[i] = length
    }
    return count
  }

  /** @param asTheyAre the values of the dictionary, if they are as COPY has them */
  #fieldsOf(
    chunk: ColumnChunk,
    dictionary: Dictionary,
    asTheyAre: StoredBytes | undefined,
  ): DictionaryFields {
    if (this.#dictionary?.dictionary === dictionary) return this.#dictionary
    if (asTheyAre) {
      const { bytes, starts, ends } = asTheyAre
      const lengths = ends.map((end, entry) => end - starts[entry]!)
      this.#dictionary = { dictionary, made: undefined, bytes, starts, lengths }
      return this.#dictionary
    }
    const out = emptied(this.#entries)
    this.#entries = out
    const target = this.#targetOf(chunk.meaning)
    const put = putStoredOf(dictionary.values, chunk.meaning, target)
    const starts = new Int32Array(dictionary.length)
    const lengths = new Int32Array(dictionary.length)
    for (let entry = 0; entry < dictionary.length; entry++) {
      const start = out.length
      const isPut = put?.(out, entry) || putValue(out, target, () => chunk.convertedEntry(entry))
      starts[entry] = start + LENGTH_BYTES
      lengths[entry] = isPut ? out.view.getInt32(start) : REFUSED
    }
    const bytes = out.bytes.subarray(0, out.length)
    this.#dictionary = { dictionary, made: undefined, bytes, starts, lengths }
    return this.#dictionary
  }

  #make(chunk: ColumnChunk, from: number, count: number): number {
    const out = emptied(this.#made)
    this.#made = out
    const { starts, lengths } = this.fields
    const { positions } = chunk
    const target = this.#targetOf(chunk.meaning)
    const put = putStoredOf(chunk.values, chunk.meaning, target)
    let i = 0
    for (; i < count; i++) {
      const index = positions ? positions[from + i]! : from + i
      if (index < 0) {
        starts[i] = out.length
        lengths[i] = NULL_LENGTH
        continue
      }
      const start = out.length
      if (!put?.(out, index) && !putValue(out, target, () => chunk.convertedAt(index))) break
      starts[i] = start + LENGTH_BYTES
      lengths[i] = out.view.getInt32(start)
    }
    this.fields.read(out.bytes)
    return i
  }

  #targetOf(meaning: Meaning): StoredTarget {
    return isLocalTime(meaning) ? this.#localTarget : this.#target
  }
}

/** Returns the first fields as values. The length of one that is NULL or refused is below 0. */
function madeOf({ bytes, starts, lengths }: Fields, count: number): StoredBytes {
  const ends = new Int32Array(count)
  for (let index = 0; index < count; index++) ends[index] = starts[index]! + lengths[index]!
  return { kind: 'bytes', bytes, starts, ends }
}

/** Returns the buffer to be used again, or another in place of one that has become large. */
function emptied(buffer: ByteBuffer | undefined): ByteBuffer {
  if (!buffer || buffer.bytes.length > MAX_KEPT_BYTES) return new ByteBuffer()
  buffer.length = 0
  return buffer
}

function isLocalTime(meaning: Meaning): boolean {
  return typeof meaning === 'object' && 'utc' in meaning && !meaning.utc
}

/**
 * Appends the field of a value. Returns false, and appends nothing, where the codec refuses the value, or it
 * cannot be converted: its row is then encoded by itself, and fails with what is wrong with it.
 */
function putValue(out: ByteBuffer, target: StoredTarget, read: () => unknown): boolean {
  const { codec } = target
  const start = out.length
  try {
    const value = read()
    const fitted = value === null || value === undefined ? null : target.fit(value)
    if (fitted === null || fitted === undefined) putNull(out)
    else if (ArrayBuffer.isView(fitted) && !codec.takesViews) {
      out.putInt32(fitted.byteLength)
      out.putBytes(new Uint8Array(fitted.buffer, fitted.byteOffset, fitted.byteLength))
    } else if (!codec.binary!(out, fitted)) {
      out.length = start
      return false
    }
    return true
  } catch {
    out.length = start
    return false
  }
}
