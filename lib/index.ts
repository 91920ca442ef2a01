export type { BatchEvent, BatchTransformEvents, BatchTrigger } from './batch/batch-events.ts'
export type { BatchTransformOptions } from './batch/batch-options.ts'
export { BatchTransform } from './batch/batch-transform.ts'
export { type DebeziumChange, type DebeziumOptions, fromDebezium } from './change-events/debezium.ts'
export type {
  PgArrayQueryConfig,
  PgField,
  PgQueryConfig,
  PgQueryResult,
  PgSession,
  PgSessionConnection,
  PgSubmittable,
  PgTransactionClient,
} from './connection/pg-transaction-client.ts'
export type {
  PgClientLike,
  PgPoolLike,
  PgResultLike,
} from './connection/pg-types.ts'
export { PgBatchError, type PgBatchErrorCode, type PgBatchErrorDetails } from './errors.ts'
export type { PgRowWriterOptions, RowWriterStats, WrittenRow } from './row-writer/options.ts'
export { PgRowWriter } from './row-writer/pg-row-writer.ts'
export type { Codec, CopyFormat, Method, Outcome, Stats, StreamState, TableName } from './types.ts'
export type { CommitMessage, EvolveMessage, RejectMessage, RetryMessage } from './writable/diagnostics.ts'
export type { CommitEvent, EvolveEvent, PgBatchWritableEvents, RetryEvent } from './writable/events.ts'
export type { CheckpointOptions } from './writable/options/checkpoint-options.ts'
export type { EvolveOptions } from './writable/options/evolve-options.ts'
export type { OnConflict } from './writable/options/on-conflict.ts'
export type { PgBatchWritableOptions } from './writable/options.ts'
export { PgBatchWritable } from './writable/pg-batch-writable.ts'
export type { Position, ResolvedPosition } from './write/checkpoint/position.ts'
export { readCheckpoint } from './write/checkpoint/read-checkpoint.ts'
export type { RetryOptions } from './write/faults/retry.ts'
export type { RejectedRow } from './write/rejects/dead-letter.ts'
export { ndjsonDeadLetter } from './write/rejects/ndjson-dead-letter.ts'
export type { SettledItems } from './write/transaction/settled-items.ts'
export type { TransactionMessage } from './write/transaction/trace.ts'
