import type { Batch } from '../write/rows/batch.ts'

/** The items that a stream has accepted and neither committed nor handed to its dead letter. */
export class PendingItems<Item> {
  readonly #batches = new Set<Batch<Item>>()
  readonly #items: Item[] = []

  /** Adds a batch, or the part of one that belongs to one lane. */
  add(batch: Batch<Item>): void {
    this.#batches.add(batch)
  }

  /** Adds items whose batch is committed without them. */
  addItems(items: readonly Item[]): void {
    for (const item of items) this.#items.push(item)
  }

  remove(batches: readonly Batch<Item>[]): void {
    for (const batch of batches) this.#batches.delete(batch)
  }

  /** Removes all items and returns them. */
  takeAll(): Item[] {
    const items = [...this.#items.splice(0), ...[...this.#batches].flatMap(({ items }) => items)]
    this.#batches.clear()
    return items
  }
}
