import type { ColumnChunk } from '../../columnar/block.ts'
import type { Dictionary } from '../../columnar/stored-values.ts'
import { type Allocate, giveBackUnlessHeld, keepChunk } from '../../values/chunk-memory.ts'
import { ColumnReader, rowsOf } from './column-reader.ts'
import type { PageReader } from './page-reader.ts'
import { decodeDataPage, decodeDictionary, type PageContext } from './pages/decode-page.ts'
import type { WasmHybrid } from './pages/wasm/wasm-hybrid.ts'

/** Reads a column of one leaf, whose values are the column's. A chunk is a page. */
export class FlatReader extends ColumnReader {
  readonly #pages: PageReader
  readonly #context: PageContext
  #dictionary: Dictionary | undefined

  /**
   * @param allocate for what is read of pages
   * @param hybrid reads integers of pages; undefined: JavaScript does
   */
  constructor(pages: PageReader, allocate: Allocate, hybrid: WasmHybrid | undefined) {
    super()
    this.#pages = pages
    this.#context = { decoder: pages.decoder, leaf: pages.leaf, hybrid, allocate }
  }

  override close(): void {
    super.close()
    this.#pages.close()
  }

  protected override async read(): Promise<ColumnChunk | undefined> {
    for (let page = await this.#pages.next(); page; page = await this.#pages.next()) {
      if (page.header.type === 'DICTIONARY_PAGE') {
        this.#dictionary = decodeDictionary(page, this.#context)
        keepChunk(page.bytes) // the dictionary refers to it, and many pages to the dictionary
        continue
      }
      const chunk = decodeDataPage(page, { ...this.#context, dictionary: this.#dictionary })
      chunk.hold()
      // texts stay in their page, and a page that is not packed is a part of what was read of the file
      giveBackUnlessHeld(page.bytes)
      if (rowsOf(chunk) > 0) return chunk
      chunk.release()
    }
    return undefined
  }
}
