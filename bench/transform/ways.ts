import { createRequire } from 'node:module'
import type { Duplex } from 'node:stream'
import asStream from 'stream-chain/asStream.js'
import { batch as chainBatch } from 'stream-chain/utils/batch.js'
import { batch as jsonBatch } from 'stream-json/utils/batch.js'
import { BatchTransform } from '../../lib/index.ts'

const require = createRequire(import.meta.url)
const batch2 = require('batch2') as {
  obj: (options: { size: number; highWaterMark?: number }) => Duplex
}
const BatchStream = require('batch-stream') as new (options: {
  size: number
  highWaterMark?: number
}) => Duplex

/** Makes a batcher of a given batch size. */
type MakeStream = (count: number) => Duplex

/** Each has the fastest of three high-water marks: its default, 1 and 1,024. */
export const WAYS = {
  'BatchTransform, default options': count => new BatchTransform({ maxCount: count }),
  'BatchTransform, no timer': count =>
    new BatchTransform({ maxCount: count, maxWaitMs: Number.POSITIVE_INFINITY }),
  batch2: count => batch2.obj({ size: count }),
  'batch-stream': count => new BatchStream({ size: count, highWaterMark: 1024 }),
  "stream-chain's batch": count => asStream(chainBatch(count), { highWaterMark: 1024 }),
  "stream-json's Batch": count => jsonBatch.asStream({ batchSize: count, highWaterMark: 1024 }),
} satisfies Record<string, MakeStream>

export type Way = keyof typeof WAYS
