import type { Batch } from './batch.ts'

/** A part of a batch, and the lane that it goes to. */
export interface LanePart<Item> {
  readonly part: Batch<Item>
  readonly lane: number
}

/**
 * Splits a batch by the lanes of its items. Each part keeps the order; a batch of one lane is returned as it
 * is.
 */
export function splitByLane<Item>(
  batch: Batch<Item>,
  laneOf: (item: Item) => string | number,
  lanes: number,
): LanePart<Item>[] {
  const parts = new Map<number, { items: Item[]; arrayIndexes: number[] }>()
  for (const [index, item] of batch.items.entries()) {
    const lane = laneNumber(laneOf(item), lanes)
    let part = parts.get(lane)
    if (!part) {
      part = { items: [], arrayIndexes: [] }
      parts.set(lane, part)
    }
    part.items.push(item)
    part.arrayIndexes.push(index)
  }
  if (parts.size === 1) return [{ part: batch, lane: parts.keys().next().value! }]
  return [...parts].map(([lane, part]) => ({
    part: { id: batch.id, count: part.items.length, ...part },
    lane,
  }))
}

/**
 * Spreads keys over lanes: numbers by their remainder, so that partitions 0, 1, 2 … get different lanes; text
 * by FNV-1a.
 */
export function laneNumber(key: string | number, lanes: number): number {
  if (typeof key === 'number' && Number.isSafeInteger(key)) return Math.abs(key) % lanes
  let hash = 0x811c9dc5
  for (const character of String(key)) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193)
  return (hash >>> 0) % lanes
}
