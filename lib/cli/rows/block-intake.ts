import type { Readable } from 'node:stream'
import type { Block } from '../../columnar/block.ts'
import type { BlockLayout, BlockRow } from '../../columnar/block-row.ts'
import { Intake } from './intake.ts'

export interface BlockIntakeOptions {
  readonly layout: BlockLayout
  /** Rows at the beginning that are skipped, because they are in the table already. */
  readonly skip: number
  /** Called for each array before it is passed on. */
  readonly onBatch: (count: number) => void
}

/** The intake of blocks, which come in arrays. Their rows are made and numbered here. */
export class BlockIntake extends Intake<Block[]> {
  readonly #options: BlockIntakeOptions

  constructor(source: Readable, options: BlockIntakeOptions) {
    super(source, 1)
    this.#options = options
  }

  protected override admit(blocks: Block[]): BlockRow[] | undefined {
    const { skip, onBatch, layout } = this.#options
    const rows: BlockRow[] = []
    for (const block of blocks) {
      for (let index = 0; index < block.length; index++) {
        const number = ++this.rowsRead
        if (number > skip) rows.push(new layout.Row(block, index, number))
      }
    }
    if (rows.length === 0) return undefined
    onBatch(rows.length)
    return rows
  }
}
