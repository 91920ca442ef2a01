import type { PgClientLike } from '../pg-types.ts'
import { queryText } from '../query-text.ts'
import { isServerError } from '../server-error.ts'
import type { Timelines } from '../timelines.ts'
import type { ServerWatch } from './server-watch.ts'
import type { TransactionTicket } from './ticket.ts'

export type TransactionOutcome = 'committed' | 'rolled-back' | 'in-progress' | 'unknown'

/** The connection leads to a standby, which may lack what its primary has committed: ask another server. */
export class StandbyError extends Error {
  override readonly name: string = 'StandbyError'

  constructor(message = 'The connection leads to a server that is not the primary') {
    super(message)
  }
}

/** The connection leads to a server that another one has replaced: what is committed there is lost. */
export class FormerPrimary extends StandbyError {
  override readonly name = 'FormerPrimary'

  constructor() {
    super('The connection leads to a former primary: rows were committed to one that was promoted since')
  }
}

/**
 * Asks the server, on another connection, for the outcome of a transaction.
 *
 * A crash loses the ids of transactions of which no part of the log had reached the disk, and the server then
 * gives these ids to others. Such a transaction was rolled back. Its id is "in the future" until it is used
 * again; from then on it belongs to another transaction. That is why "committed" is checked again if the
 * server has crashed meanwhile.
 *
 * A transaction that is still open because its COMMIT never arrived is ended. One whose COMMIT is running is
 * left alone: it may wait for a synchronous standby, and ending its backend would report it as committed
 * without one.
 *
 * @param timelines gets that of the server
 * @returns `unknown` when the server has forgotten such old transactions, or cannot say whose id it is
 * @throws StandbyError when this is not the primary; what the connection or the server throws
 * @see https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
 */
export async function askOutcome(
  client: PgClientLike,
  ticket: TransactionTicket,
  watch: ServerWatch,
  timelines?: Timelines,
): Promise<TransactionOutcome> {
  const { rows } = await queryText(
    client,
    `SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN
       pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END AS timeline`,
  )
  const timeline = rows[0]?.timeline as string | null
  // a server of an earlier timeline is a former primary
  if (timeline === null || timeline < ticket.timeline) throw new StandbyError()
  timelines?.note({ timeline, major: ticket.major })
  const status = await askStatus(client, ticket.xid)
  if (timeline > ticket.timeline) return askPromoted(client, ticket, watch, status)
  if (status === 'in progress') {
    await endTransaction(client, ticket, { mayCommit: true })
    return 'in-progress'
  }
  if (status === 'committed') return askWhose(client, ticket, watch)
  return status === 'aborted' ? 'rolled-back' : 'unknown'
}

/** How long a primary needs at least to crash, start, give an id to another transaction, and be replaced. */
const FAILOVER_MS = 1000

/**
 * Returns what a status means on a server that was promoted since. It has given out again the ids of which it
 * had received nothing, so only a committed id may be the ticket's. The commit timestamp decides: a replayed
 * transaction was committed no later than the last replayed one, by the former primary's clock; a later one
 * is another's. The former primary itself may have crashed before, and have given the id to another
 * transaction: that one was committed too late to be the ticket's.
 */
async function askPromoted(
  client: PgClientLike,
  { xid, at }: TransactionTicket,
  watch: ServerWatch,
  status: unknown,
): Promise<TransactionOutcome> {
  if (status === 'aborted' || status === 'in progress') return 'rolled-back'
  if (status !== 'committed') return 'unknown'
  const { rows } = await queryText(
    client,
    `SELECT (pg_catalog.date_part('epoch', committed_at) >= $2::float8 - 0.001)::text AS since_ticket,
       (committed_at <= pg_catalog.pg_last_xact_replay_timestamp())::text AS replayed,
       ${msSinceTicket('$2')} AS committed_after_ms
     FROM ${committedAt('$1')}`,
    [xid, at],
  )
  const { since_ticket: sinceTicket, replayed, committed_after_ms: afterMs } = rows[0]!
  if (sinceTicket !== 'true' || replayed === null) return 'unknown'
  if (replayed !== 'true') return 'rolled-back'
  return watch.isOwnCommit(Number(afterMs), FAILOVER_MS) ? 'committed' : 'unknown'
}

/**
 * Returns a table of one row: when a transaction was committed, or null where the server does not keep that.
 */
function committedAt(xid: string): string {
  return `(SELECT CASE WHEN pg_catalog.current_setting('track_commit_timestamp')::bool
       THEN pg_catalog.pg_xact_commit_timestamp((${xid}::xid8)::xid) END) AS t(committed_at)`
}

/** Returns the milliseconds from a ticket's `at` to a commit, by the clock of one server. */
function msSinceTicket(at: string): string {
  return `((pg_catalog.date_part('epoch', committed_at) - ${at}::float8) * 1000)::text`
}

/**
 * Commits a small transaction that writes to the log, and so waits for the synchronous standbys, if there are
 * any. What was committed before is then as safe as they make it. Without this, a transaction whose wait was
 * cut short, such as by a restart of the server, would be reported as committed though no standby has it.
 */
export async function confirmDurability(client: PgClientLike): Promise<void> {
  try {
    await queryText(
      client,
      "SELECT pg_catalog.pg_logical_emit_message(true, 'pg-batch-streams', ''::text)::text",
    )
  } catch (error) {
    // no privilege, or no such function: then the earlier answer has to do
    if (!isServerError(error) || !error.code.startsWith('42')) throw error
  }
}

/**
 * Returns whether a committed id is still that of the ticket.
 *
 * Crash recovery resets statistics, and ends with a checkpoint that records the next id, N. Without a
 * checkpoint since the ticket there was no crash either: statistics can be reset by hand.
 *
 * - N ≤ id: the ticket's transaction was rolled back, however many crashes there were. If it had been
 *   committed, its commit record would be on disk, each recovery would have read it, and each checkpoint
 *   since would have N > id.
 *   That holds for a checkpoint at rest, at the end of recovery. One beside running transactions (its redo
 *   location lies before its record) may have read N before the ticket, and statistics reset by hand make it
 *   look like a recovery: nothing is known then.
 * - N > id, after one crash: the id was in the log that the recovery read, and was not given out again.
 * - N > id, after two crashes: the first may have lost the id, another transaction may have been committed
 *   under it, and the second recovery may have read that. The server keeps no trace of the first crash; the
 *   stream has watched it meanwhile.
 * - A later checkpoint no longer shows what N was at the end of recovery.
 *
 * Where the server keeps the time of each commit, that time is enough: a transaction that was given the id
 * after a crash was committed when the server was up again.
 */
async function askWhose(
  client: PgClientLike,
  { xid, at, flushed }: TransactionTicket,
  watch: ServerWatch,
): Promise<TransactionOutcome> {
  const askedAt = performance.now()
  const { rows } = await queryText(
    client,
    `SELECT (pg_catalog.date_part('epoch', reset_at) > $1::float8
         AND checkpoint_lsn >= $3::pg_lsn)::text AS crashed,
       (pg_catalog.split_part(next_xid, ':', 1)::numeric * 4294967296 +
         pg_catalog.split_part(next_xid, ':', 2)::numeric > $2::text::numeric)::text AS logged,
       (redo_lsn = checkpoint_lsn)::text AS at_rest,
       (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - reset_at) * 1000)::text
         AS recovered_ms_ago,
       ${msSinceTicket('$1')} AS committed_after_ms,
       (pg_catalog.current_setting('server_version_num')::int >= 170000)::text AS has_checkpointer_view
     FROM pg_catalog.pg_control_checkpoint(), ${committedAt('$2::text')},
       (SELECT pg_catalog.pg_stat_get_bgwriter_stat_reset_time()) AS s(reset_at)`,
    [at, xid, flushed],
  )
  const answeredAt = performance.now()
  const { crashed, logged, at_rest, recovered_ms_ago, committed_after_ms, has_checkpointer_view } = rows[0]!
  if (crashed !== 'true') return 'committed'
  if (logged !== 'true') return at_rest === 'true' ? 'rolled-back' : 'unknown'
  if (committed_after_ms !== null && watch.isOwnCommit(Number(committed_after_ms))) return 'committed'
  const agoMs = Number(recovered_ms_ago)
  if (!watch.isFirstRecovery(askedAt - agoMs, answeredAt - agoMs)) return 'unknown'
  const counted = await queryText(
    client,
    has_checkpointer_view === 'true'
      ? `SELECT (num_timed + num_requested <= 1)::text AS only_one
           FROM pg_catalog.pg_stat_checkpointer`
      : `SELECT (checkpoints_timed + checkpoints_req <= 1)::text AS only_one
           FROM pg_catalog.pg_stat_bgwriter`,
  )
  return counted.rows[0]?.only_one === 'true' ? 'committed' : 'unknown'
}

const INVALID_PARAMETER_VALUE = '22023'

async function askStatus(client: PgClientLike, xid: string): Promise<unknown> {
  try {
    const { rows } = await queryText(client, 'SELECT pg_catalog.pg_xact_status($1::xid8) AS status', [xid])
    return rows[0]?.status
  } catch (error) {
    // the crash has lost even its id
    if (isServerError(error) && error.code === INVALID_PARAMETER_VALUE) return 'aborted'
    throw error
  }
}

/**
 * Ends the backend that still holds the transaction, if the role may: its client is gone, and its locks would
 * last until the kernel gives the connection up, hours later.
 * @param options.mayCommit COMMIT was sent. A backend that works is left alone then, because it may wait for
 *   a synchronous standby. One that waits for a lock, or for the rest of a message, has not committed yet:
 *   COMMIT is sent with its rows
 */
export async function endTransaction(
  client: PgClientLike,
  { xid, backend }: Pick<TransactionTicket, 'xid' | 'backend'>,
  { mayCommit }: { mayCommit: boolean },
): Promise<void> {
  const isWaiting = " AND (state LIKE 'idle in transaction%' OR wait_event_type IN ('Lock', 'Client'))"
  const condition = mayCommit ? isWaiting : ''
  try {
    await queryText(
      client,
      `SELECT pg_catalog.pg_terminate_backend(pid)::text FROM pg_catalog.pg_stat_activity
        WHERE pid = $2::int AND backend_xid = ($1::xid8)::xid${condition}`,
      [xid, backend],
    )
  } catch (error) {
    if (!isServerError(error)) throw error
  }
}
