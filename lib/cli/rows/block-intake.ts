import type { Readable } from 'node:stream'
import type { Block } from '../../columnar/block.ts'
import type { BlockLayout, BlockRow } from '../../columnar/block-row.ts'
import { BatchIntake, type BatchIntakeOptions } from './intake.ts'

export interface BlockIntakeOptions extends BatchIntakeOptions<BlockRow[]> {
  readonly layout: BlockLayout
}

/** The intake of blocks, which come in arrays. Their rows are made and numbered here. */
export class BlockIntake extends BatchIntake<Block[], BlockRow[]> {
  readonly #layout: BlockLayout

  constructor(source: Readable, options: BlockIntakeOptions) {
    super(source, options)
    this.#layout = options.layout
  }

  protected override batchesOf(blocks: Block[]): [BlockRow[]] {
    const { Row } = this.#layout
    const rows: BlockRow[] = []
    for (const block of blocks) {
      const { first, skipped } = this.count(block.length)
      for (let index = skipped; index < block.length; index++) rows.push(new Row(block, index, first + index))
    }
    return [rows]
  }
}
