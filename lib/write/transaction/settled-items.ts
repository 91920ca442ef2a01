import type { Batch, RowGroup } from '../rows/batch.ts'

/** The outcome of the items of a committed batch; each list is in the order of the batch. */
export interface SettledItems<Item> {
  /** Items whose rows were sent and not rejected. */
  readonly written: readonly Item[]
  /** Items whose rows were rejected. */
  readonly rejected: readonly Item[]
  /** Items that `toRow` made no row of, and items that were written already, by the checkpoint. */
  readonly skipped: readonly Item[]
}

/** What one transaction does with the items of one batch, noted for the callback that receives them. */
export class ItemNotes<Item> {
  readonly batch: Batch<Item>
  #groups: readonly RowGroup[] = []
  readonly #rejected = new Set<number>()

  constructor(batch: Batch<Item>) {
    this.batch = batch
  }

  /** Notes the rows that are sent. */
  sent(groups: readonly RowGroup[]): void {
    this.#groups = groups
  }

  /** @param index index into the batch's items */
  rejected(index: number): void {
    this.#rejected.add(index)
  }

  written(): readonly Item[] {
    return this.settled().written
  }

  settled(): SettledItems<Item> {
    const { items } = this.batch
    const [only] = this.#groups
    const all = this.#groups.length === 1 && only!.rows.length === items.length
    if (all && this.#rejected.size === 0) return { written: [...items], rejected: [], skipped: [] }
    const sent = new Set<number>()
    for (const { rows } of this.#groups) for (const [, index] of rows) sent.add(index)
    const written: Item[] = []
    const rejected: Item[] = []
    const skipped: Item[] = []
    for (const [index, item] of items.entries()) {
      if (this.#rejected.has(index)) rejected.push(item)
      else if (sent.has(index)) written.push(item)
      else skipped.push(item)
    }
    return { written, rejected, skipped }
  }
}
