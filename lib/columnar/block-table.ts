import { ItemTable } from '../values/items/item-table.ts'
import type { Block } from './block.ts'
import type { BlockLayout, BlockRow } from './block-row.ts'

/** Rows that follow each other in one block. */
export interface BlockRun {
  readonly block: Block
  /** The index in the block of the first of them. */
  readonly start: number
  /** The index in the table of the first of them, and the one after the last. */
  readonly first: number
  readonly next: number
}

/** Rows of blocks. */
export class BlockTable extends ItemTable<BlockRow> {
  readonly length: number
  readonly #layout: BlockLayout
  readonly #runs: readonly BlockRun[]
  readonly #firstNumber: number

  /** @param firstNumber the number of the first row in the input; the others follow */
  constructor(layout: BlockLayout, runs: readonly BlockRun[], firstNumber: number) {
    super()
    this.#layout = layout
    this.#runs = runs
    this.length = runs.at(-1)?.next ?? 0
    this.#firstNumber = firstNumber
  }

  /** Returns all rows of blocks. */
  static of(layout: BlockLayout, blocks: readonly Block[], firstNumber: number): BlockTable {
    let next = 0
    const runs = blocks.map((block): BlockRun => {
      const first = next
      next += block.length
      return { block, start: 0, first, next }
    })
    return new BlockTable(layout, runs, firstNumber)
  }

  /** Returns the run that a row is in. */
  runOf(index: number): BlockRun {
    return this.#runs.find(({ next }) => index < next)!
  }

  override slice(from: number, to = this.length): BlockTable {
    if (from === 0 && to >= this.length) return this
    const runs: BlockRun[] = []
    for (const { block, start, first, next } of this.#runs) {
      const left = Math.max(first, from)
      const right = Math.min(next, to)
      if (left < right) {
        runs.push({ block, start: start + left - first, first: left - from, next: right - from })
      }
    }
    return new BlockTable(this.#layout, runs, this.#firstNumber + from)
  }

  protected override itemAt(index: number): BlockRow {
    return this.#rowOf(this.runOf(index), index)
  }

  protected override *each(): Generator<BlockRow> {
    for (const run of this.#runs) for (let at = run.first; at < run.next; at++) yield this.#rowOf(run, at)
  }

  #rowOf({ block, start, first }: BlockRun, index: number): BlockRow {
    return new this.#layout.Row(block, start + index - first, this.#firstNumber + index)
  }
}
