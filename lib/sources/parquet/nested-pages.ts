import type { DecodedArray } from 'hyparquet'
import { readPage } from 'hyparquet/src/column.js'
import { convert } from 'hyparquet/src/convert.js'
import type { PageReader } from './page-reader.ts'
import type { UnpackedPage } from './unpack-page.ts'

/** Reads the values of a leaf inside lists or structs, page by page. hyparquet decodes the levels. */
export class NestedPages {
  readonly #pages: PageReader
  #dictionary: DecodedArray | undefined
  /** The last row of a repeated leaf, which the next page may continue. */
  #held: unknown[] = []

  constructor(pages: PageReader) {
    this.#pages = pages
  }

  /** Returns the values of the next page, one for each row; undefined after the last page. */
  async next(): Promise<ArrayLike<unknown> | undefined> {
    for (let page = await this.#pages.next(); page; page = await this.#pages.next()) {
      if (page.header.type === 'DICTIONARY_PAGE') {
        this.#dictionary = convert(this.#decode(page, undefined), this.#pages.decoder)
        continue
      }
      const rows = this.#rowsOf(page)
      if (rows.length > 0) return rows
    }
    const last = this.#held
    this.#held = []
    return last.length > 0 ? last : undefined
  }

  #rowsOf(page: UnpackedPage): ArrayLike<unknown> {
    const { repeated } = this.#pages.leaf
    const data = this.#decode(page, repeated ? this.#held : undefined)
    if (!repeated) {
      const { data_page_header: v1, data_page_header_v2: v2 } = page.header
      const values = (v1 ?? v2)!.num_values
      if (data.length !== values) throw new Error(`A page has ${data.length} of ${values} values`)
      return data
    }
    const rows = data as unknown[]
    this.#held = rows.splice(-1)
    return rows
  }

  #decode({ header, bytes }: UnpackedPage, before: unknown[] | undefined): DecodedArray {
    const view = new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
    return readPage({ view, offset: 0 }, header, this.#pages.decoder, this.#dictionary, before, 0).data ?? []
  }
}
