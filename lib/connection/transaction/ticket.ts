import type { PgClientLike, PgResultLike } from '../pg-types.ts'
import { queryText } from '../query-text.ts'
import { connectionSurvives, isServerError } from '../server-error.ts'
import { readTimeline, TIMELINE, type Timeline } from '../timelines.ts'

/**
 * What identifies a running transaction, so that another connection can ask for its outcome. The statement
 * after BEGIN in the same query string reads it, so it costs no round trip.
 */
export interface TransactionTicket extends Timeline {
  /**
   * `pg_current_xact_id()`: 64 bits with the epoch, never used again on one timeline, except after a crash.
   */
  readonly xid: string
  /** Process id of the server's backend. */
  readonly backend: string
  /** The write-ahead log's timeline, which changes when a standby is promoted or a backup is restored. */
  readonly timeline: string
  /** When it was read, by the server's clock, in seconds: shows whether the server has crashed since. */
  readonly at: string
  /** How far the write-ahead log was on disk then: no crash can lose that part. */
  readonly flushed: string
  /** Each statement sees what is committed then, so that it does not matter when the transaction began. */
  readonly isReadCommitted: boolean
  /** The statement_timeout of the transaction: the stream's, or the session's where that is shorter. */
  readonly timeoutMs: number
  /** The idle_in_transaction_session_timeout of the transaction, chosen in the same way. */
  readonly idleTimeoutMs: number
  /** When it was received, by the clock of `performance.now()`. */
  readonly receivedAt: number
}

const IDENTITY =
  'pg_catalog.pg_current_xact_id() AS pg_batch_xid, pg_catalog.pg_backend_pid() AS backend, ' +
  `${TIMELINE} AS timeline, ` +
  "pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) AS at, " +
  'pg_catalog.pg_current_wal_flush_lsn() AS flushed'

/**
 * Returns the statement that follows BEGIN. It reads the ticket, and sets the time limits of this
 * transaction, unless the session has shorter ones: the limit of a statement, and the limit of waiting for
 * the next one. A machine that is lost in the middle of a transaction sends nothing, and the transaction's
 * locks (on a checkpoint, on keys) would last until the kernel gives the connection up.
 * @param statementTimeoutMs undefined for a transaction that takes as long as its rows need
 */
export function ticketStatement(statementTimeoutMs: number | undefined): string {
  const limits = statementTimeoutMs === undefined ? UNLIMITED : limitedTo(statementTimeoutMs)
  return `SELECT ${IDENTITY}, pg_catalog.current_setting('transaction_isolation') AS isolation, ${limits}`
}

/**
 * Returns the statement that reads the ticket of a transaction that follows another one at READ COMMITTED on
 * its connection. To look at the limits of the session again would take the server longer than all the rest.
 */
export function nextTicketStatement({ timeoutMs, idleTimeoutMs }: TransactionTicket): string {
  return (
    `SELECT ${IDENTITY}, 'read committed' AS isolation, ` +
    `${timeoutMs} AS statement_timeout, ${idleTimeoutMs} AS idle_timeout, ` +
    `pg_catalog.set_config('statement_timeout', '${timeoutMs}', true), ` +
    `pg_catalog.set_config('idle_in_transaction_session_timeout', '${idleTimeoutMs}', true)`
  )
}

function limitedTo(statementTimeoutMs: number): string {
  const limit = (setting: string) =>
    `1000 * pg_catalog.date_part('epoch', ${atMost(setting, statementTimeoutMs)}::interval)`
  return (
    `${limit('statement_timeout')} AS statement_timeout, ` +
    `${limit('idle_in_transaction_session_timeout')} AS idle_timeout`
  )
}

/**
 * Switches the limits off, as pg_dump does for its one long transaction. Keepalives take their place: the
 * server then notices within two minutes that the client's machine is lost.
 */
const UNLIMITED = [
  `${off('statement_timeout')} AS statement_timeout`,
  `${off('idle_in_transaction_session_timeout')} AS idle_timeout`,
  // from PostgreSQL 17
  `CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL ` +
    `THEN ${off('transaction_timeout')} END`,
  `pg_catalog.set_config('tcp_keepalives_idle', '60', true)`,
  `pg_catalog.set_config('tcp_keepalives_interval', '10', true)`,
  `pg_catalog.set_config('tcp_keepalives_count', '6', true)`,
].join(', ')

function off(setting: string): string {
  return `pg_catalog.set_config('${setting}', '0', true)`
}

/**
 * Returns SQL that sets a time limit for the transaction, unless the session has a shorter one. Its value is
 * the limit that applies.
 */
function atMost(setting: string, ms: number): string {
  const current = `pg_catalog.current_setting('${setting}')`
  return (
    `CASE WHEN ${current}::interval NOT BETWEEN interval '1 ms' AND interval '${ms} ms' ` +
    `THEN pg_catalog.set_config('${setting}', '${ms} ms', true) ELSE ${current} END`
  )
}

/** A standby refuses to report the position of its log with it. */
const RECOVERY_IN_PROGRESS = '55000'

/**
 * Returns true for errors that another attempt may not meet: conflicts, resources, time limits, operators,
 * the system.
 */
function mayPass(sqlState: string): boolean {
  return /^(40|53|57|58)/.test(sqlState)
}

/**
 * Returns true if the server can fill in a ticket: it is PostgreSQL 13 or later, and lets the position of its
 * log be read, which some managed servers do not.
 * @throws the server's own refusal (25006) on a standby, which writes nothing: before a stream takes its rows
 */
export async function canTicket(client: PgClientLike): Promise<boolean> {
  try {
    await queryText(
      client,
      `SELECT pg_catalog.pg_current_xact_id_if_assigned(),
         pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn())`,
    )
    return true
  } catch (error) {
    if (!isServerError(error) || !connectionSurvives(error) || mayPass(error.code)) throw error
    if (error.code !== RECOVERY_IN_PROGRESS) return false
    await queryText(client, 'SELECT pg_catalog.pg_current_xact_id()')
    return true // promoted since
  }
}

/** Returns the row of {@link ticketStatement}, or of the other statement, where one of the results has it. */
export function ticketRow(results: readonly PgResultLike[]): readonly unknown[] | undefined {
  const found = results.find(({ rows }) => rows?.[0] && 'pg_batch_xid' in rows[0])
  return found && Object.values(found.rows[0]!)
}

/** Makes a ticket from the row of {@link ticketStatement}, whose values are text or made of it by `pg`. */
export function readTicket(row: readonly unknown[] | undefined): TransactionTicket | undefined {
  if (!row) return undefined
  const [xid, backend, timeline, at, flushed, isolation, timeoutMs, idleTimeoutMs] = row.map(String)
  return {
    xid: xid!,
    backend: backend!,
    ...readTimeline(timeline!),
    at: at!,
    flushed: flushed!,
    isReadCommitted: isolation === 'read committed',
    timeoutMs: Math.round(Number(timeoutMs)),
    idleTimeoutMs: Math.round(Number(idleTimeoutMs)),
    receivedAt: performance.now(),
  }
}
