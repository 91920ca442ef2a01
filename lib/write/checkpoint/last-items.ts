import { isDeepStrictEqual } from 'node:util'
import { isError } from '../../values/is-error.ts'
import type { SourceOrder } from './source-order.ts'

interface LastItem<Item> {
  readonly order: SourceOrder
  readonly item: Item
}

/** The last item of each partition. */
export class LastItems<Item> {
  readonly #items = new Map<string, LastItem<Item>>()

  get(partition: string): LastItem<Item> | undefined {
    return this.#items.get(partition)
  }

  set(partition: string, last: LastItem<Item>): void {
    this.#items.set(partition, last)
  }

  /** Adds the items of a later transaction. */
  addAll(later: LastItems<Item>): void {
    for (const [partition, last] of later.#items) this.#items.set(partition, last)
  }
}

/** What the stream reads of an item. */
export interface ItemReaders<Item> {
  readonly toRow: ((item: Item) => unknown) | undefined
  readonly operation?: ((item: Item) => unknown) | undefined
  /** The columns of a row, as texts. */
  readonly textsOf: (row: object) => unknown
}

/**
 * Returns true for two consecutive items that have one position and differ: rows of one message, of which all
 * but the first would be skipped. A redelivered message is the same item, or makes the same row where the
 * broker's object also counts its deliveries.
 */
export function isRepeated<Item>(
  previous: LastItem<Item> | undefined,
  next: LastItem<Item>,
  readers: ItemReaders<Item>,
): boolean {
  if (previous?.order !== next.order || previous.item === next.item) return false
  const [first, second, firstAgain] = [previous.item, next.item, previous.item].map(item =>
    readItem(item, readers),
  )
  const sameRows = isDeepStrictEqual(first, second)
  if (!isDeepStrictEqual(previous.item, next.item)) return !readers.toRow || !sameRows
  // private fields are not compared above; a `toRow` that makes another row each time says nothing
  return !sameRows && isDeepStrictEqual(first, firstAgain)
}

/** Returns all that the stream reads of an item. */
function readItem<Item>(item: Item, { toRow, operation, textsOf }: ItemReaders<Item>): unknown {
  const row = toRow ? outcomeOf(toRow, item) : { returned: item }
  const { returned } = row
  const texts = typeof returned === 'object' && returned !== null ? textsOf(returned) : undefined
  return [row, texts, outcomeOf(operation, item)]
}

/** Returns what a callback returns for an item, or the message of what it throws. */
function outcomeOf<Item>(
  callback: ((item: Item) => unknown) | undefined,
  item: Item,
): { returned?: unknown; thrown?: unknown } {
  try {
    return { returned: callback?.(item) }
  } catch (error) {
    return { thrown: isError(error) ? error.message : error }
  }
}
