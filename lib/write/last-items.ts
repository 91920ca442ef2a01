import { isDeepStrictEqual } from 'node:util'
import { isError } from '../is-error.ts'
import type { SourceOrder } from './source-order.ts'

interface LastItem<Item> {
  readonly order: SourceOrder
  readonly item: Item
}

/** For each partition the item that came last. */
export class LastItems<Item> {
  readonly #items = new Map<string, LastItem<Item>>()

  get(partition: string): LastItem<Item> | undefined {
    return this.#items.get(partition)
  }

  set(partition: string, last: LastItem<Item>): void {
    this.#items.set(partition, last)
  }

  /** Takes over what came after. */
  addAll(later: LastItems<Item>): void {
    for (const [partition, last] of later.#items) this.#items.set(partition, last)
  }
}

/** What is made of an item. */
export interface ItemReaders<Item> {
  readonly toRow: ((item: Item) => unknown) | undefined
  readonly operation?: ((item: Item) => unknown) | undefined
}

/**
 * True for two items in a row that have one place and differ: rows of one message, of which all but the first would be
 * skipped. A message that is delivered again is the same item, or gives the same row where a broker's object also holds
 * how often it was delivered.
 */
export function isRepeated<Item>(
  previous: LastItem<Item> | undefined,
  next: LastItem<Item>,
  { toRow, operation }: ItemReaders<Item>,
): boolean {
  if (previous?.order !== next.order || previous.item === next.item) return false
  if (isDeepStrictEqual(previous.item, next.item)) return false
  const read = (item: Item) => [outcomeOf(toRow, item), outcomeOf(operation, item)]
  return !toRow || !isDeepStrictEqual(read(previous.item), read(next.item))
}

/** What a callback returns for an item, or the message of what it throws. */
function outcomeOf<Item>(callback: ((item: Item) => unknown) | undefined, item: Item): unknown {
  try {
    return { returned: callback?.(item) }
  } catch (error) {
    return { thrown: isError(error) ? error.message : error }
  }
}
