import type { Batch } from '../write/rows/batch.ts'

/** The items that a stream has accepted and neither committed nor handed to its dead letter. */
export class PendingItems<Item> {
  /** When each batch was accepted, the oldest one first. */
  readonly #batches = new Map<Batch<Item>, number>()
  readonly #items: Item[] = []

  /** Adds a batch, or the part of one that belongs to one lane. */
  add(batch: Batch<Item>): void {
    this.#batches.set(batch, performance.now())
  }

  /** Adds items whose batch is committed without them. */
  addItems(items: readonly Item[]): void {
    for (const item of items) this.#items.push(item)
  }

  remove(batches: readonly Batch<Item>[]): void {
    for (const batch of batches) this.#batches.delete(batch)
  }

  /** How long the oldest batch has been pending, in milliseconds; 0 when none is. */
  get oldestMs(): number {
    const { value: oldest } = this.#batches.values().next()
    return oldest === undefined ? 0 : performance.now() - oldest
  }

  /** Removes all items and returns them. */
  takeAll(): Item[] {
    const items = [...this.#items.splice(0), ...[...this.#batches.keys()].flatMap(({ items }) => items)]
    this.#batches.clear()
    return items
  }
}
