export {
  type BatchEvent,
  BatchTransform,
  type BatchTransformEvents,
  type BatchTrigger,
} from './batch/batch-transform.ts'
export type { PgClientLike, PgPoolLike, PgResultLike } from './connection/pg-types.ts'
export { PgBatchError, type PgBatchErrorCode } from './errors.ts'
export type { BatchTransformOptions } from './options.ts'
export { type CommitEvent, PgBatchWritable, type PgBatchWritableEvents } from './pg-batch-writable.ts'
export type { CopyFormat, Method, Outcome, Stats, TableName } from './types.ts'
export type { OnConflict, PgBatchWritableOptions } from './writable-options.ts'
