import type { Stats } from '../types.ts'
import { ItemTable } from '../values/items/item-table.ts'
import type { Batch } from '../write/rows/batch.ts'
import { TableBatch } from '../write/rows/table-batch.ts'
import type { Progress } from '../write/write-context.ts'
import { Activity, type EndOfStream } from './activity.ts'
import { Counts } from './counts.ts'
import { PendingItems } from './pending-items.ts'

/** What a stream knows of the rows that it has received: their counts, and the items that are pending. */
export class Ledger<Item> {
  readonly #counts = new Counts()
  readonly #pending = new PendingItems<Item>()
  readonly #activity = new Activity()

  /** Counts an array that was written. Its items are pending once their parts were added. */
  receive(items: readonly Item[] | ItemTable): Batch<Item> {
    const id = this.#counts.addReceived(items.length)
    if (items instanceof ItemTable) return new TableBatch(id, items) as unknown as Batch<Item>
    return { id, count: items.length, items }
  }

  /** Adds a batch, or the part of one that belongs to one lane. */
  addPending(part: Batch<Item>): void {
    this.#pending.add(part)
  }

  /** @param worker the lane, or the introspection, that has come so far */
  note(progress: Progress<Item>, worker: object): void {
    if (progress.kind === 'retry') {
      this.retries(worker)
      return
    }
    this.settles(worker)
    const { kind, committed } = progress
    this.#pending.remove(committed.batches)
    if (kind === 'committed') {
      this.#counts.addCommitted(committed)
    } else {
      // the transaction did not store its rejected rows: they stay pending, and `onDiscard` gets them
      this.#counts.addCommitted({ ...committed, rejected: [] })
      this.#pending.addItems(committed.rejected.map(({ item }) => item))
    }
  }

  /** Notes that an attempt has failed and will be made again. */
  retries(worker: object): void {
    this.#activity.failedOnce(worker)
  }

  /** Notes that an attempt has succeeded, or that there will be no other one. */
  settles(worker: object): void {
    this.#activity.settled(worker)
  }

  statsOf(stream: EndOfStream): Readonly<Stats> {
    const counts = this.#counts.stats
    return {
      ...counts,
      state: this.#activity.stateOf(stream, counts.rowsPending),
      oldestPendingMs: this.#pending.oldestMs,
    }
  }

  /** Removes the items that are pending and returns them. */
  takePending(): Item[] {
    return this.#pending.takeAll()
  }
}
