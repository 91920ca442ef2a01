import type { Readable } from 'node:stream'
import type { Block } from '../../columnar/block.ts'
import type { BlockLayout } from '../../columnar/block-row.ts'
import { BlockTable } from '../../columnar/block-table.ts'
import { BatchIntake, type BatchIntakeOptions } from './intake.ts'

export interface BlockIntakeOptions extends BatchIntakeOptions<BlockTable> {
  readonly layout: BlockLayout
}

/** The intake of blocks, which come in arrays. Their rows are numbered here. */
export class BlockIntake extends BatchIntake<Block[], BlockTable> {
  readonly #layout: BlockLayout

  constructor(source: Readable, options: BlockIntakeOptions) {
    super(source, options)
    this.#layout = options.layout
  }

  protected override batchesOf(blocks: Block[]): [BlockTable] {
    const { first, skipped } = this.count(blocks.reduce((sum, { length }) => sum + length, 0))
    return [BlockTable.of(this.#layout, blocks, first).slice(skipped)]
  }
}
