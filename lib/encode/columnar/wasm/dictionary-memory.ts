import type { ColumnChunk } from '../../../columnar/block.ts'
import type { Dictionary, StoredBytes, StoredValues } from '../../../columnar/stored-values.ts'

/** The memory of a module, and its growth. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** Where the values of a dictionary are. The last two are 0 for values that are not bytes. */
export interface DictionaryPlace {
  readonly values: number
  readonly starts: number
  readonly ends: number
}

const NO_DICTIONARY: DictionaryPlace = { values: 0, starts: 0, ends: 0 }

const PAGE_BYTES = 64 * 1024
const FIRST_BYTES = 1 << 20

/** More is left to JavaScript: a file of hundreds of columns may have a large dictionary in each. */
const MAX_BYTES = 48 << 20

/** Copies begin at multiples of this, because words are read from them. */
const ALIGNMENT = 16

/**
 * Keeps the dictionaries of the current row groups in the memory of a module. When it is full it forgets all
 * of them, and grows if those that are needed at once do not fit.
 */
export class DictionaryMemory {
  readonly #memory: WasmMemory
  readonly #start: number
  #capacity = FIRST_BYTES
  #used = 0
  #places = new WeakMap<Dictionary, DictionaryPlace>()
  /** Dictionaries that were found not to fit beside those of the other columns. */
  readonly #refused = new WeakSet<Dictionary>()

  /** @param start the address from which on the memory may be used and grown */
  constructor(memory: WasmMemory, start: number) {
    this.#memory = memory
    this.#start = Math.ceil(start / ALIGNMENT) * ALIGNMENT
  }

  /**
   * Returns the place of each column's dictionary; undefined if there is no room for all of them at once.
   */
  placesOf(columns: readonly Pick<ColumnChunk, 'values'>[]): readonly DictionaryPlace[] | undefined {
    const dictionaries = columns.map(({ values }) =>
      values.kind === 'dictionary' ? values.dictionary : undefined,
    )
    if (dictionaries.some(dictionary => dictionary && this.#refused.has(dictionary))) return undefined
    const places: DictionaryPlace[] = []
    for (let isCleared = false; places.length < dictionaries.length; ) {
      const dictionary = dictionaries[places.length]
      const place = dictionary ? this.#placeOf(dictionary) : NO_DICTIONARY
      if (place) {
        places.push(place)
        continue
      }
      if (isCleared && this.#capacity === MAX_BYTES) {
        this.#refused.add(dictionary!)
        return undefined
      }
      if (isCleared) this.#capacity = Math.min(MAX_BYTES, this.#capacity * 2)
      isCleared = true
      places.length = 0
      this.#clear()
    }
    return places
  }

  #placeOf(dictionary: Dictionary): DictionaryPlace | undefined {
    const known = this.#places.get(dictionary)
    if (known) return known
    const place = this.#load(dictionary.values)
    if (place) this.#places.set(dictionary, place)
    return place
  }

  #clear(): void {
    this.#places = new WeakMap()
    this.#used = 0
  }

  #load(values: StoredValues): DictionaryPlace | undefined {
    if (values.kind === 'any' || values.kind === 'dictionary') return undefined
    if (values.kind === 'bytes') return this.#loadBytes(values)
    const address = this.#copy(bytesOf(values.kind === 'int96' ? values.words : values.values))
    return address === 0 ? undefined : { values: address, starts: 0, ends: 0 }
  }

  #loadBytes({ bytes, starts, ends }: StoredBytes): DictionaryPlace | undefined {
    const values = this.#copy(bytes)
    const startsAt = values && this.#copy(bytesOf(starts))
    const endsAt = startsAt && this.#copy(bytesOf(ends))
    return endsAt === 0 ? undefined : { values, starts: startsAt, ends: endsAt }
  }

  /** Returns the address of the copy; 0 if there is no room. */
  #copy(bytes: Uint8Array): number {
    const end = this.#used + bytes.length
    if (end > this.#capacity) return 0
    const address = this.#start + this.#used
    // texts are copied 16 bytes at a time, and the last one is read beyond its end
    this.#need(address + bytes.length + ALIGNMENT)
    new Uint8Array(this.#memory.buffer).set(bytes, address)
    this.#used = Math.ceil(end / ALIGNMENT) * ALIGNMENT
    return address
  }

  #need(end: number): void {
    const { byteLength } = this.#memory.buffer
    if (end > byteLength) this.#memory.grow(Math.ceil((end - byteLength) / PAGE_BYTES))
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
