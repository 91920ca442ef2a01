import { type Channel, channel } from 'node:diagnostics_channel'
import type { TableParts } from '../table/identifier.ts'
import type { RejectedRow } from '../write/rejects/dead-letter.ts'
import type { CommitEvent, EvolveEvent, RetryEvent } from './events.ts'

/** Every message names the stream's table. */
interface FromStream {
  readonly table: TableParts
}

/** The message of the channel `pg-batch-streams:commit`. */
export type CommitMessage = CommitEvent & FromStream
/** The message of the channel `pg-batch-streams:retry`. */
export type RetryMessage = RetryEvent & FromStream
/** The message of the channel `pg-batch-streams:reject`: the event without the row. */
export type RejectMessage = Omit<RejectedRow, 'row' | 'item' | 'values' | 'withoutText'> & FromStream
/** The message of the channel `pg-batch-streams:evolve`. */
export type EvolveMessage = EvolveEvent & FromStream

/**
 * The channels that get each commit, retry, reject and change of a table, of every stream in the process.
 * They are for monitoring code that does not create the streams. Without subscribers no message is made.
 * @see https://nodejs.org/api/diagnostics_channel.html
 */
const channels = {
  commit: channel('pg-batch-streams:commit'),
  retry: channel('pg-batch-streams:retry'),
  reject: channel('pg-batch-streams:reject'),
  evolve: channel('pg-batch-streams:evolve'),
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

export function publishEvolve(table: TableParts, evolve: EvolveEvent): void {
  if (channels.evolve.hasSubscribers) channels.evolve.publish({ table, ...evolve } satisfies EvolveMessage)
}
