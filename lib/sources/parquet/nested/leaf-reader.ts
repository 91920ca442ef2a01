import {
  type Convert,
  type Dictionary,
  type StoredValues,
  storedAt,
} from '../../../columnar/stored-values.ts'
import type { PageReader } from '../page-reader.ts'
import { decodeDictionary, decodeEntries } from '../pages/decode-page.ts'
import { positionsOf } from '../pages/read-levels.ts'
import type { Entries, LeafRows } from './leaf-rows.ts'

/**
 * Reads a leaf inside lists or structs, page by page. The last row of a page may continue on the next one:
 * it is held until then.
 */
export class LeafReader {
  readonly #pages: PageReader
  #dictionary: Dictionary | undefined
  #held: Entries[] = []

  constructor(pages: PageReader) {
    this.#pages = pages
  }

  /** Returns the next rows; undefined after the last ones. */
  async next(): Promise<LeafRows | undefined> {
    const { decoder, leaf } = this.#pages
    for (let page = await this.#pages.next(); page; page = await this.#pages.next()) {
      if (page.header.type === 'DICTIONARY_PAGE') {
        this.#dictionary = decodeDictionary(page, { decoder, leaf })
        continue
      }
      const { count, values, ...levels } = decodeEntries(page, {
        decoder,
        leaf,
        dictionary: this.#dictionary,
      })
      const definitions = levels.definitions ?? new Int32Array(count).fill(leaf.maxDefinition)
      const repetitions = levels.repetitions ?? new Int32Array(count)
      const positions = positionsOf(definitions, leaf.maxDefinition)
      const valueAt = valueReader(values, positions, leaf.type.nested ?? leaf.type.convert)
      const rows = this.#wholeRows({ definitions, repetitions, valueAt })
      if (rows && rows.starts.length > 1) return rows
    }
    if (this.#held.length === 0) return undefined
    const last = joined(this.#held)
    this.#held = []
    return { ...last, starts: Int32Array.of(0, last.definitions.length) }
  }

  /** Returns the rows that are known to be whole, and holds the others. */
  #wholeRows(page: Entries): LeafRows | undefined {
    if (this.#pages.leaf.maxRepetition === 0) return { ...page, starts: startsOf(page.repetitions, true) }
    if (this.#held.length > 0 && !page.repetitions.includes(0)) {
      this.#held.push(page)
      return undefined
    }
    const all = joined([...this.#held, page])
    const starts = startsOf(all.repetitions, false)
    if (all.repetitions.length === 0) return undefined
    if (starts[0] !== 0) throw new Error('A list continues before it begins')
    this.#held = [copied(all, starts.at(-1)!)]
    return { ...all, starts }
  }
}

function valueReader(values: StoredValues, positions: Int32Array, convert: Convert): Entries['valueAt'] {
  if (values.kind === 'dictionary') {
    const { indexes, dictionary } = values
    return entry => (positions[entry]! < 0 ? null : dictionary.at(indexes[positions[entry]!]!, convert))
  }
  return entry => (positions[entry]! < 0 ? null : convert(storedAt(values, positions[entry]!) as never))
}

/** Returns the entries at which rows begin; with `last` also the place after the last entry. */
function startsOf(repetitions: Int32Array, last: boolean): Int32Array {
  const { length } = repetitions
  const starts = new Int32Array(length + 1)
  let count = 0
  for (let entry = 0; entry < length; entry++) if (repetitions[entry] === 0) starts[count++] = entry
  if (last) starts[count++] = length
  return starts.slice(0, count)
}

/** Copies the last entries, so that they do not keep their page in memory. */
function copied({ definitions, repetitions, valueAt }: Entries, from: number): Entries {
  const values = Array.from({ length: definitions.length - from }, (_, at) => valueAt(from + at))
  return {
    definitions: definitions.slice(from),
    repetitions: repetitions.slice(from),
    valueAt: entry => values[entry],
  }
}

function joined(parts: readonly Entries[]): Entries {
  if (parts.length === 1) return parts[0]!
  const ends: number[] = []
  for (const { definitions } of parts) ends.push((ends.at(-1) ?? 0) + definitions.length)
  return {
    definitions: joinedLevels(
      parts.map(({ definitions }) => definitions),
      ends.at(-1)!,
    ),
    repetitions: joinedLevels(
      parts.map(({ repetitions }) => repetitions),
      ends.at(-1)!,
    ),
    valueAt: entry => {
      const part = ends.findIndex(end => entry < end)
      return parts[part]!.valueAt(entry - (ends[part - 1] ?? 0))
    },
  }
}

function joinedLevels(parts: readonly Int32Array[], length: number): Int32Array {
  const levels = new Int32Array(length)
  let at = 0
  for (const part of parts) {
    levels.set(part, at)
    at += part.length
  }
  return levels
}
