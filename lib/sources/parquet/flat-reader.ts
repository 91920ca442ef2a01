import type { ColumnChunk } from '../../columnar/block.ts'
import type { Dictionary } from '../../columnar/stored-values.ts'
import { ColumnReader, rowsOf } from './column-reader.ts'
import type { PageReader } from './page-reader.ts'
import { decodeDataPage, decodeDictionary } from './pages/decode-page.ts'
import type { WasmHybrid } from './pages/wasm/wasm-hybrid.ts'

/** Reads a column of one leaf, whose values are the column's. A chunk is a page. */
export class FlatReader extends ColumnReader {
  readonly #pages: PageReader
  readonly #hybrid: WasmHybrid | undefined
  #dictionary: Dictionary | undefined

  /** @param hybrid reads integers of pages; undefined: JavaScript does */
  constructor(pages: PageReader, hybrid?: WasmHybrid) {
    super()
    this.#pages = pages
    this.#hybrid = hybrid
  }

  protected override async read(): Promise<ColumnChunk | undefined> {
    const { decoder, leaf } = this.#pages
    for (let page = await this.#pages.next(); page; page = await this.#pages.next()) {
      if (page.header.type === 'DICTIONARY_PAGE') {
        this.#dictionary = decodeDictionary(page, decoder, leaf)
        continue
      }
      const chunk = decodeDataPage(page, decoder, leaf, this.#dictionary, this.#hybrid)
      if (rowsOf(chunk) > 0) return chunk
    }
    return undefined
  }
}
