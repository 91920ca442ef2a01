import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Yields items at a steady rate. Each tick yields the items that are due by the clock: a timer alone would
 * drift.
 */
export async function trickle<T>(
  items: readonly T[],
  itemsPerSecond: number,
  write: (item: T) => void,
): Promise<void> {
  const started = performance.now()
  for (let next = 0; next < items.length; ) {
    const due = Math.min(
      items.length,
      Math.floor(((performance.now() - started) / 1000) * itemsPerSecond) + 1,
    )
    for (; next < due; next++) write(items[next]!)
    await sleep(1)
  }
}
