import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { BatchTransform, PgBatchWritable, type PgPoolLike, type RetryEvent } from '../../lib/index.ts'
import type { LoadShape } from './cases.ts'
import { deletedBy, type NumberedRow, rowOf } from './rows.ts'
import type { Tables } from './tables.ts'

/** What a load is told, and what it tells. */
export interface LoadPlan {
  readonly url: string
  readonly tables: Tables
  readonly shape: LoadShape
  readonly seed: number
  /** `inTransaction` counts rows in the side table. */
  readonly sideEffects: boolean
  readonly timeoutMs: number
  /** True when no further row need come; asked after at least `leastRows`. */
  readonly isOver: () => boolean
  readonly leastRows: number
  readonly onCommit?: (rows: number) => void
  readonly onRetry?: (retry: RetryEvent) => void
}

export interface LoadEnd {
  /** What the pipeline failed with; undefined: it resolved. */
  readonly error: Error | undefined
  /** How many rows the source gave out. */
  readonly sent: number
  /** Numbers of rows that were accepted and not committed, batch by batch. */
  readonly discarded: readonly number[]
  /** Clients that did not come back to the pool. */
  readonly leakedClients: number
}

/** From here on rows only trickle, so that a case with slow faults stays small. */
const PLENTY_OF_ROWS = 12_000
const BURST_ROWS = 1500

/** Runs one pipeline to its end, whatever that is. */
export async function runLoad(plan: LoadPlan): Promise<LoadEnd> {
  const { shape, timeoutMs, tables, url } = plan
  const pool = shape.ownPool ? undefined : makePool(url, shape.concurrency, timeoutMs)
  const discarded: number[] = []
  let sent = 0
  const source = async function* (): AsyncGenerator<NumberedRow> {
    for (let n = 0; n < plan.leastRows || !plan.isOver(); n++) {
      sent = n + 1
      yield rowOf(plan.seed, n, shape.badRows)
      const pauseMs = pauseAfter(n, shape.pace)
      if (pauseMs > 0) await sleep(pauseMs)
    }
  }
  const sink = new PgBatchWritable<NumberedRow>({
    ...(pool ? { pool: pool as PgPoolLike } : { connectionString: url }),
    table: tables.target,
    ...writeOptions(shape),
    concurrency: shape.concurrency,
    statementTimeoutMs: timeoutMs,
    commitTimeoutMs: timeoutMs,
    retry: { retries: shape.retries === 'few' ? 2 : 100_000, minDelayMs: 4, maxDelayMs: 50 },
    ...(shape.badRows
      ? { rejectLimit: Number.POSITIVE_INFINITY, deadLetter: { table: tables.deadLetters } }
      : {}),
    ...(shape.checkpoint
      ? {
          checkpoint: {
            name: tables.target,
            table: tables.checkpoint,
            position: ({ part, n }: NumberedRow) => ({ partition: String(part), offset: Number(n) }),
          },
        }
      : {}),
    ...(plan.sideEffects
      ? {
          inTransaction: async (client, batch) => {
            // two rows, always in this order; a competitor takes them in the other
            for (const id of [1, 2]) {
              await client.query(`UPDATE ${tables.side} SET rows = rows + $1 WHERE id = ${id}`, [
                batch.length,
              ])
            }
          },
        }
      : {}),
    onDiscard: items => discarded.push(...items.map(item => Number(item.n))),
  })
  sink.on('commit', ({ rows }) => plan.onCommit?.(rows))
  sink.on('retry', retry => plan.onRetry?.(retry))
  const batches = new BatchTransform<NumberedRow>({
    maxCount: shape.pace === 'bursts' ? 500 : 50,
    maxWaitMs: 5,
  })
  let error: Error | undefined
  try {
    await pipeline(source, batches, sink)
  } catch (thrown) {
    error = thrown as Error
  }
  const leakedClients = pool ? pool.totalCount - pool.idleCount : 0
  await pool?.end()
  return { error, sent, discarded, leakedClients }
}

function pauseAfter(n: number, pace: LoadShape['pace']): number {
  if (n >= PLENTY_OF_ROWS) return n % 5 === 0 ? 10 : 0
  if (pace === 'bursts') return n % BURST_ROWS === BURST_ROWS - 1 ? 25 : 0
  return n % 30 === 29 ? 3 : 0
}

function makePool(url: string, concurrency: number, timeoutMs: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: concurrency, connectionTimeoutMillis: timeoutMs })
  pool.on('error', () => {}) // idle clients die here by design
  return pool
}

function writeOptions({ method, checkpoint, concurrency }: LoadShape) {
  switch (method) {
    case 'copy-binary':
      return { method: 'copy', copyFormat: 'binary' } as const
    case 'copy-text':
      return { method: 'copy', copyFormat: 'text' } as const
    case 'insert':
      return { method: 'insert' } as const
    case 'upsert':
      return { onConflict: { target: ['n'], action: 'update' } } as const
    case 'changes':
      return {
        onConflict: { target: ['n'], action: 'update' },
        operation: ({ n }: NumberedRow) => (deletedBy(Number(n)) === undefined ? 'upsert' : 'delete'),
        toRow: (row: NumberedRow) => ({ ...row, n: deletedBy(Number(row.n)) ?? row.n }),
        // a checkpoint's partitions are lanes already
        ...(concurrency > 1 && !checkpoint ? { laneOf: ({ part }: NumberedRow) => part } : {}),
      } as const
  }
}
