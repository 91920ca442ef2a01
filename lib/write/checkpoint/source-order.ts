/**
 * The position of an item in its partition as one number that grows: by the offset, then by the index among
 * items of one offset. An item without an index is the first of its offset.
 */
export type SourceOrder = bigint

const INDEX_BITS = 64n
const INDEX_MASK = (1n << INDEX_BITS) - 1n

/** Returns the order of a position. */
export function orderOf({ offset, index = 0n }: { offset: bigint; index?: bigint | undefined }): SourceOrder {
  return (offset << INDEX_BITS) | index
}

/** Returns the offset of a position. */
export function offsetIn(order: SourceOrder): bigint {
  return order >> INDEX_BITS
}

/**
 * A position as the table of checkpoints stores it. `position` is the highest offset of which every item is
 * committed; of the next offset, the items up to `itemIndex` are. A source that starts after `position` never
 * misses an item.
 */
export interface StoredPosition {
  readonly position: bigint
  readonly itemIndex: bigint | null
}

/**
 * Returns the position to store for the highest item of a partition.
 * @param indexed the item has an index, so that more items of its offset may come
 */
export function toStored(order: SourceOrder, indexed: boolean): StoredPosition {
  const offset = offsetIn(order)
  return indexed
    ? { position: offset - 1n, itemIndex: order & INDEX_MASK }
    : { position: offset, itemIndex: null }
}

/** Reads a row of the table of checkpoints; undefined when nothing was written yet. */
export function orderIn({ position, item_index: index }: Record<string, unknown>): SourceOrder | undefined {
  if (position === null || position === undefined) return undefined
  const whole = BigInt(position as string)
  if (index === null || index === undefined) return orderOf({ offset: whole })
  return orderOf({ offset: whole + 1n, index: BigInt(index as string) })
}
