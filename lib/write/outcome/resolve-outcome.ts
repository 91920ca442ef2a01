import { DeadlineError } from '../../connection/deadline-error.ts'
import type { PgClientLike, PgPoolLike } from '../../connection/pg-types.ts'
import { Lease, type StopSignals } from '../../connection/pool/lease.ts'
import { queryText } from '../../connection/query-text.ts'
import type { Timelines } from '../../connection/timelines.ts'
import {
  askOutcome,
  confirmDurability,
  type TransactionOutcome,
} from '../../connection/transaction/outcome.ts'
import type { ServerWatch } from '../../connection/transaction/server-watch.ts'
import type { TransactionTicket } from '../../connection/transaction/ticket.ts'
import { lockPartitions } from '../../table/checkpoint-sql.ts'
import type { TableParts } from '../../table/identifier.ts'
import { afterOnBegin, type Beginning, transientCause } from '../begin/on-begin.ts'
import { orderIn, type SourceOrder } from '../checkpoint/source-order.ts'
import { noteFailure } from './note-failure.ts'

/** What identifies a transaction whose COMMIT was sent and not answered. */
export interface OpenOutcome {
  readonly ticket: TransactionTicket | undefined
  readonly reached: ReadonlyMap<string, SourceOrder>
  readonly watch: ServerWatch | undefined
}

/** Where to ask for an outcome, and how long to wait. */
export interface OutcomeContext extends Beginning {
  readonly pool: PgPoolLike
  readonly signals: StopSignals
  readonly limits: {
    readonly statementTimeoutMs: number
    readonly commitTimeoutMs: number
    readonly timelines?: Timelines
  }
  readonly checkpoint: { readonly table: TableParts; readonly name: string } | undefined
}

/**
 * Asks the server once, on a new connection, whether a transaction was committed. The transaction's id
 * answers that, except after a crash or on another server: then the checkpoint that the transaction would
 * have stored does. With a checkpoint, both have to say "committed". Returns `in-progress` until the
 * synchronous standbys have the commit, too.
 * @throws when the server gave no answer this time
 */
export async function resolveOutcome(
  open: OpenOutcome,
  context: OutcomeContext,
): Promise<TransactionOutcome> {
  const { pool, signals, limits } = context
  const { statementTimeoutMs, commitTimeoutMs } = limits
  const outcome = await watched(open.watch, onConnect =>
    Lease.use(
      pool,
      (_client, lease) => {
        onConnect()
        return ask(lease, open, context)
      },
      statementTimeoutMs,
      signals,
    ),
  )
  if (outcome !== 'committed' || !open.ticket) return outcome
  try {
    await Lease.use(pool, confirmDurability, commitTimeoutMs, signals)
    return 'committed'
  } catch (error) {
    if (error instanceof DeadlineError) return 'in-progress'
    throw error
  }
}

/** Runs a question, and notes what its answer or its failure shows of the server. */
async function watched<T>(
  watch: ServerWatch | undefined,
  question: (onConnect: () => void) => Promise<T>,
): Promise<T> {
  const askedAt = performance.now()
  let isConnected = false
  try {
    const answer = await question(() => {
      isConnected = true
    })
    const answeredAt = performance.now()
    watch?.sawUp(answeredAt, answeredAt)
    return answer
  } catch (error) {
    if (watch) noteFailure(watch, error, { askedAt, failedAt: performance.now(), isConnected })
    throw error
  }
}

async function ask(
  lease: Lease,
  { ticket, reached, watch }: OpenOutcome,
  context: OutcomeContext,
): Promise<TransactionOutcome> {
  const { checkpoint, limits } = context
  const byId = ticket && watch ? await askOutcome(lease.client, ticket, watch, limits.timelines) : 'unknown'
  const settled = byId === 'rolled-back' || byId === 'in-progress'
  if (settled || !checkpoint || reached.size === 0) return byId
  const values = [checkpoint.name, [...reached.keys()]]
  const lock = (client: PgClientLike) => queryText(client, lockPartitions(checkpoint.table), values)
  const waitMs = limits.statementTimeoutMs
  const { rows } = await afterOnBegin(context, { lease, waitMs, end: 'rollback', work: lock }).catch(
    error => {
      throw transientCause(error)
    },
  )
  const stored = new Map(rows.map(row => [row.partition as string, orderIn(row)]))
  const there = [...reached].every(([partition, order]) => (stored.get(partition) ?? -1n) >= order)
  return there ? 'committed' : 'rolled-back'
}
