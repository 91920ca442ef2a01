import { refusePromise } from '../connection/transaction/callbacks/callback-limits.ts'
import { positionOf } from '../write/checkpoint/position.ts'
import { CallbackError } from '../write/faults/failure.ts'
import type { ResolvedWritableOptions } from './resolve/resolve-options.ts'

/**
 * Returns the function that names an item's lane, or undefined where a batch may go to any lane. With a
 * checkpoint an item's lane is that of its partition, whose items have to stay in order.
 */
export function laneChooser<Item>({
  laneOf,
  checkpoint,
  concurrency,
}: Pick<ResolvedWritableOptions<Item>, 'laneOf' | 'checkpoint' | 'concurrency'>):
  | ((item: Item) => string | number)
  | undefined {
  if (checkpoint && concurrency > 1) {
    // numbered in the order of their first items: a hash might give two partitions one lane and leave another
    // lane idle
    const numbers = new Map<string, number>()
    return item => {
      const { partition } = positionOf(checkpoint.position, item)
      const number = numbers.get(partition) ?? numbers.size
      numbers.set(partition, number)
      return number
    }
  }
  if (!laneOf) return undefined
  return item => {
    try {
      const lane = laneOf(item)
      refusePromise('laneOf', lane)
      return lane
    } catch (cause) {
      throw new CallbackError('laneOf', cause)
    }
  }
}
