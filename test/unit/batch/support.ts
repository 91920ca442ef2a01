import sinon from 'sinon'
import type { BatchEvent } from '../../../lib/batch/batch-events.ts'
import type { BatchTransform } from '../../../lib/batch/batch-transform.ts'

/** A clock for timers and performance.now(); nextTick and setImmediate stay real, for streams need them. */
export function fakeClock(): sinon.SinonFakeTimers {
  return sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
}

/** Lets every tick and microtask that is due run. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Reads all the time, as a consumer that is always ready. */
export function collect<T>(stream: BatchTransform<T>): T[][] {
  const batches: T[][] = []
  stream.on('data', batch => batches.push(batch))
  return batches
}

export function eventsOf<T>(stream: BatchTransform<T>): BatchEvent[] {
  const events: BatchEvent[] = []
  stream.on('batch', event => events.push(event))
  return events
}

export function writeAll<T>(stream: BatchTransform<T>, items: Iterable<T>): void {
  for (const item of items) stream.write(item)
}

/** The integers from `from` to `to`, both included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

/** Ended, all batches. */
export async function batchesOf<T>(stream: BatchTransform<T>, items: Iterable<T>): Promise<T[][]> {
  const batches = collect(stream)
  const ended = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject))
  writeAll(stream, items)
  stream.end()
  await ended
  return batches
}
