import { type Duplex, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { benchRows } from '../support/rows.ts'
import { WAYS, type Way } from './ways.ts'

export interface TransformTask {
  readonly way: Way
  readonly count: number
  readonly rows: number
}

/** Million objects a second, of the best pass. */
export interface TransformSample {
  /** From `Readable.from` to a Writable that does nothing. */
  readonly piped: number
  /** Written by a loop, without the cost of a source. */
  readonly written: number
}

const PASSES = 12

export async function measure({ way, count, rows }: TransformTask): Promise<TransformSample> {
  const items = benchRows(rows)
  const best = { piped: 0, written: 0 }
  for (let pass = 0; pass < PASSES; pass++) {
    best.piped = Math.max(best.piped, await rate(items, WAYS[way](count), pipeAll))
    best.written = Math.max(best.written, await rate(items, WAYS[way](count), writeAll))
  }
  return best
}

type Pass = (items: readonly object[], batcher: Duplex, sink: Writable) => Promise<void>

const pipeAll: Pass = (items, batcher, sink) => pipeline(Readable.from(items), batcher, sink)

const writeAll: Pass = async (items, batcher, sink) => {
  const done = pipeline(batcher, sink)
  for (const item of items) {
    if (!batcher.write(item)) await new Promise(resolve => batcher.once('drain', resolve))
  }
  batcher.end()
  await done
}

async function rate(items: readonly object[], batcher: Duplex, pass: Pass): Promise<number> {
  let seen = 0
  const sink = new Writable({
    objectMode: true,
    write(batch: object[], _encoding, callback) {
      seen += batch.length
      callback()
    },
  })
  const started = performance.now()
  await pass(items, batcher, sink)
  const microseconds = (performance.now() - started) * 1000
  if (seen !== items.length) throw new Error(`Expected ${items.length} objects, got ${seen}`)
  return items.length / microseconds
}
