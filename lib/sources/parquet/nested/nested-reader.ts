import { ColumnChunk } from '../../../columnar/block.ts'
import type { Allocate } from '../../../values/chunk-memory.ts'
import { ColumnReader } from '../column-reader.ts'
import type { ParquetColumn } from '../columns.ts'
import type { PageReader } from '../page-reader.ts'
import type { WasmHybrid } from '../pages/wasm/wasm-hybrid.ts'
import { Assembly } from './assembly.ts'
import { LeafReader } from './leaf-reader.ts'
import type { LeafRows } from './leaf-rows.ts'

/** The most rows that are assembled at a time: their values take far more memory than those of a page. */
const MAX_ROWS = 1000

/** Values that were converted inside their lists and structs. */
const UNCHANGED = { convert: (value: unknown) => value, meaning: 'other' } as const

/** Reads lists, maps and structs, and assembles them from their leaves. */
export class NestedReader extends ColumnReader {
  readonly #assembly: Assembly
  readonly #leaves: { readonly reader: LeafReader; rows: LeafRows; row: number }[]

  /**
   * @param allocate for what is read of pages
   * @param hybrid reads integers of pages; undefined: JavaScript does
   */
  constructor(
    { tree }: ParquetColumn,
    pages: readonly PageReader[],
    allocate: Allocate,
    hybrid: WasmHybrid | undefined,
  ) {
    super()
    this.#assembly = new Assembly(tree)
    this.#leaves = pages.map(leaf => ({
      reader: new LeafReader(leaf, allocate, hybrid),
      rows: NO_ROWS,
      row: 0,
    }))
  }

  override close(): void {
    super.close()
    for (const { reader } of this.#leaves) reader.close()
  }

  protected override async read(): Promise<ColumnChunk | undefined> {
    for (const leaf of this.#leaves) {
      if (leftOf(leaf) > 0) continue
      leaf.rows = (await leaf.reader.next()) ?? NO_ROWS
      leaf.row = 0
    }
    const left = this.#leaves.map(leftOf)
    const count = Math.min(MAX_ROWS, ...left)
    if (count > 0) return new ColumnChunk({ kind: 'any', values: this.#assemble(count) }, UNCHANGED)
    if (left.some(rows => rows > 0)) throw new Error('A leaf has fewer rows')
    return undefined
  }

  #assemble(count: number): unknown[] {
    const values = new Array<unknown>(count)
    for (let index = 0; index < count; index++) {
      values[index] = this.#assembly.valueOf(this.#leaves)
      for (const leaf of this.#leaves) leaf.row++
    }
    return values
  }
}

function leftOf({ rows, row }: { readonly rows: LeafRows; readonly row: number }): number {
  return rows.starts.length - 1 - row
}

const NO_ROWS: LeafRows = {
  definitions: new Int32Array(),
  repetitions: new Int32Array(),
  starts: new Int32Array(1),
  valueAt: () => null,
}
