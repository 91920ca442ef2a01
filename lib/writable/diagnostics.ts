import { type Channel, channel } from 'node:diagnostics_channel'
import type { TableParts } from '../table/identifier.ts'
import type { RejectedRow } from '../write/rejects/dead-letter.ts'
import type { CommitEvent, RetryEvent } from './events.ts'

/** The table of the stream that a message is about. */
interface FromStream {
  readonly table: TableParts
}

/** What is published on `pg-batch-streams:commit`. */
export type CommitMessage = CommitEvent & FromStream
/** What is published on `pg-batch-streams:retry`. */
export type RetryMessage = RetryEvent & FromStream
/** What is published on `pg-batch-streams:reject`: everything but the row. */
export type RejectMessage = Omit<RejectedRow, 'row' | 'item' | 'values' | 'withoutText'> & FromStream

/**
 * Tells whoever has subscribed, by `node:diagnostics_channel`, of each commit, retry and reject of every stream in the
 * process: the way for monitoring that does not make the streams. Without subscribers a message is not even made.
 * @see https://nodejs.org/api/diagnostics_channel.html
 */
const channels = {
  commit: channel('pg-batch-streams:commit'),
  retry: channel('pg-batch-streams:retry'),
  reject: channel('pg-batch-streams:reject'),
} satisfies Record<string, Channel>

export function publishCommit(table: TableParts, commit: CommitEvent): void {
  if (channels.commit.hasSubscribers) channels.commit.publish({ table, ...commit } satisfies CommitMessage)
}

export function publishRetry(table: TableParts, retry: RetryEvent): void {
  if (channels.retry.hasSubscribers) channels.retry.publish({ table, ...retry } satisfies RetryMessage)
}

export function publishReject(table: TableParts, reject: RejectedRow): void {
  if (!channels.reject.hasSubscribers) return
  const { row: _row, item: _item, values: _values, withoutText: _withoutText, ...known } = reject
  channels.reject.publish({ table, ...known } satisfies RejectMessage)
}
