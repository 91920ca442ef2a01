import { arrayIndexOf, type Batch } from './batch.ts'

/** Divides a batch into as many parts, of the same size where they can be. Each keeps the order. */
export function divideBatch<Item>(batch: Batch<Item>, parts: number): Batch<Item>[] {
  const { id, items } = batch
  const size = Math.max(1, Math.ceil(items.length / parts))
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part): Batch<Item> => {
    const from = part * size
    const own = items.slice(from, from + size)
    const arrayIndexes = own.map((_, index) => arrayIndexOf(batch, from + index))
    return { id, count: own.length, items: own, arrayIndexes }
  })
}
