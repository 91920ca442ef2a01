import { ColumnChunk } from '../../../columnar/block.ts'
import type { Dictionary } from '../../../columnar/stored-values.ts'
import { type Allocate, allocateWords, giveBackUnlessHeld, keepChunk } from '../../../values/chunk-memory.ts'
import type { PageReader } from '../page-reader.ts'
import { decodeDictionary, decodeEntries, type PageContext } from '../pages/decode-page.ts'
import { type Levels, positionsOf } from '../pages/read-levels.ts'
import type { WasmHybrid } from '../pages/wasm/wasm-hybrid.ts'
import type { UnpackedPage } from '../unpack-page.ts'
import type { Entries, LeafRows } from './leaf-rows.ts'

/**
 * Reads a leaf inside lists or structs, page by page. The last row of a page may continue on the next one:
 * it is held until then.
 */
export class LeafReader {
  readonly #pages: PageReader
  readonly #context: PageContext & { readonly allocate: Allocate }
  #dictionary: Dictionary | undefined
  /** The values of the current page. */
  #chunk: ColumnChunk | undefined
  /** The levels of the current page, which nothing else holds. */
  #levels: readonly Levels[] = []
  /** The entries of a row that may not have ended. They are copies, which need no page. */
  #held: Entries[] = []

  /**
   * @param allocate for what is read of pages
   * @param hybrid reads integers of pages; undefined: JavaScript does
   */
  constructor(pages: PageReader, allocate: Allocate, hybrid: WasmHybrid | undefined) {
    this.#pages = pages
    this.#context = { decoder: pages.decoder, leaf: pages.leaf, hybrid, allocate }
  }

  /** Releases the memory of the last rows. */
  close(): void {
    this.#releasePage()
    this.#pages.close()
  }

  /**
   * Returns the next rows; undefined after the last ones. Those that were returned before must not be read
   * any more.
   */
  async next(): Promise<LeafRows | undefined> {
    for (;;) {
      this.#releasePage()
      const page = await this.#pages.next()
      if (!page) break
      if (page.header.type === 'DICTIONARY_PAGE') {
        this.#dictionary = decodeDictionary(page, this.#context)
        keepChunk(page.bytes) // the dictionary refers to it, and many pages to the dictionary
        continue
      }
      const rows = this.#wholeRows(this.#entriesOf(page))
      if (rows && rows.starts.length > 1) return rows
    }
    if (this.#held.length === 0) return undefined
    const last = joined(this.#held)
    this.#held = []
    return { ...last, starts: Int32Array.of(0, last.definitions.length) }
  }

  /** Decodes a page, and holds its memory. */
  #entriesOf(page: UnpackedPage): Entries {
    const { allocate, leaf } = this.#context
    const { count, values, ...levels } = decodeEntries(page, {
      ...this.#context,
      dictionary: this.#dictionary,
    })
    const definitions = levels.definitions ?? allocateWords(allocate, count).fill(leaf.maxDefinition)
    const repetitions = levels.repetitions ?? allocateWords(allocate, count).fill(0)
    const positions = positionsOf(definitions, leaf.maxDefinition, allocate)
    const { meaning, nested, convert } = leaf.type
    const chunk = new ColumnChunk(values, { meaning, convert: nested ?? convert }, positions)
    this.#chunk = chunk
    this.#levels = [definitions, repetitions]
    chunk.hold()
    giveBackUnlessHeld(page.bytes) // texts stay in their page
    return { definitions, repetitions, valueAt: entry => chunk.at(entry) }
  }

  #releasePage(): void {
    this.#chunk?.release()
    this.#chunk = undefined
    for (const levels of this.#levels) giveBackUnlessHeld(levels)
    this.#levels = []
  }

  /** Returns the rows that are known to be whole, and holds the others. */
  #wholeRows(page: Entries): LeafRows | undefined {
    if (this.#pages.leaf.maxRepetition === 0) return { ...page, starts: startsOf(page.repetitions, true) }
    if (this.#held.length > 0 && !page.repetitions.includes(0)) {
      this.#held.push(copied(page, 0))
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

/** Returns the entries at which rows begin; with `last` also the place after the last entry. */
function startsOf(repetitions: Levels, last: boolean): Int32Array {
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

function joinedLevels(parts: readonly Levels[], length: number): Int32Array {
  const levels = new Int32Array(length)
  let at = 0
  for (const part of parts) {
    levels.set(part, at)
    at += part.length
  }
  return levels
}
