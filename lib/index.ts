export type { BatchEvent, BatchTransformEvents, BatchTrigger } from './batch/batch-events.ts'
export { BatchTransform } from './batch/batch-transform.ts'
export type { PgClientLike, PgPoolLike, PgResultLike } from './connection/pg-types.ts'
export { PgBatchError, type PgBatchErrorCode } from './errors.ts'
export type { BatchTransformOptions } from './options.ts'
export {
  type CommitEvent,
  PgBatchWritable,
  type PgBatchWritableEvents,
  type RetryEvent,
} from './pg-batch-writable.ts'
export type { CopyFormat, Method, Outcome, Stats, TableName } from './types.ts'
export type { CheckpointOptions, OnConflict, PgBatchWritableOptions } from './writable-options.ts'
export type { Position } from './write/checkpoint.ts'
export type { RejectedRow } from './write/dead-letter.ts'
export { ndjsonDeadLetter } from './write/ndjson-dead-letter.ts'
export { readCheckpoint } from './write/read-checkpoint.ts'
export type { RetryOptions } from './write/retry.ts'
