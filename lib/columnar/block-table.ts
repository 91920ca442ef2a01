import { type ChunkRun, ChunkTable } from '../values/items/chunk-table.ts'
import { type Block, holdBlock, releaseBlock } from './block.ts'
import type { BlockLayout, BlockRow } from './block-row.ts'

/** Rows that follow each other in one block. */
export interface BlockRun extends ChunkRun {
  readonly block: Block
  /** What the index of a row in the block is more than its index in the table. */
  readonly shift: number
}

/** Rows of blocks. */
export class BlockTable extends ChunkTable<BlockRow, BlockRun> {
  readonly #layout: BlockLayout

  /** @param firstNumber the number of the first row in the input; the others follow */
  constructor(layout: BlockLayout, runs: readonly BlockRun[], firstNumber: number) {
    super(runs, firstNumber)
    this.#layout = layout
  }

  /** Returns all rows of blocks, which it holds from then on instead of the caller. */
  static of(layout: BlockLayout, blocks: readonly Block[], firstNumber: number): BlockTable {
    let next = 0
    const runs = blocks.map((block): BlockRun => {
      const shift = -next
      next += block.length
      return { block, shift, next }
    })
    const table = new BlockTable(layout, runs, firstNumber)
    for (const block of blocks) releaseBlock(block) // the table holds them
    return table
  }

  override slice(from: number, to = this.length): BlockTable {
    if (from === 0 && to >= this.length) return this
    const runs = this.runsBetween(from, to).map(run => ({ ...run, shift: run.shift + from }))
    return new BlockTable(this.#layout, runs, this.firstNumber + from)
  }

  protected override makeItem(index: number, { block, shift }: BlockRun): BlockRow {
    return new this.#layout.Row(block, index + shift, this.firstNumber + index)
  }

  protected override holdRun({ block }: BlockRun): void {
    holdBlock(block)
  }

  protected override releaseRun({ block }: BlockRun): void {
    releaseBlock(block)
  }
}
