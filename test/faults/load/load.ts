import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import {
  BatchTransform,
  PgBatchWritable,
  type PgClientLike,
  type PgPoolLike,
  type RetryEvent,
  readCheckpoint,
} from '../../../lib/index.ts'
import type { LoadShape } from '../cases/cases.ts'
import { deletedBy, type NumberedRow, newKeyOf, rowOf } from './rows.ts'
import type { Tables } from './tables.ts'

/** The input of a load, and its callbacks. */
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
  /** Rows whose commit the stream reports, rejected and skipped ones included. */
  readonly onAcknowledged?: (numbers: readonly number[]) => void
  /** Of the load's own pool: how its sockets are made. */
  readonly stream?: pg.ClientConfig['stream']
  /** The source begins after what the checkpoint has stored, which it asks one of these servers for. */
  readonly checkpointUrls?: readonly string[]
  /** Called in each transaction, after the side effects. */
  readonly inTransaction?: (client: PgClientLike, pool: PgPoolLike) => Promise<void>
  readonly callbackTimeoutMs?: number
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

const BATCH_ROWS = { trickle: 50, bursts: 500, flood: 100 }
const RETRIES = { few: 2, usual: 10, many: 100_000 }

const WHOLE = { 'in parts': {}, single: { singleTransaction: true }, replace: { replace: true } }

/** Runs one pipeline to its end, whatever that is. */
export async function runLoad(plan: LoadPlan): Promise<LoadEnd> {
  const { shape, timeoutMs, tables, url } = plan
  const pool = shape.ownPool ? undefined : makePool(plan, shape.concurrency)
  const discarded: number[] = []
  const startsAfter =
    plan.checkpointUrls && shape.checkpoint ? await storedPositions(plan, plan.checkpointUrls) : undefined
  let sent = 0
  const source = async function* (): AsyncGenerator<NumberedRow> {
    for (let n = 0; n < plan.leastRows || !plan.isOver(); n++) {
      sent = n + 1
      const row = rowOf(plan.seed, n, shape.badRows)
      if (shape.evolves) Object.assign(row, Object.fromEntries([newKeyOf(n)]))
      if (BigInt(n) <= (startsAfter?.get(String(row.part)) ?? -1n)) continue
      yield row
      const pauseMs = pauseAfter(n, shape.pace)
      if (pauseMs > 0) await sleep(pauseMs)
    }
  }
  const sink = new PgBatchWritable<NumberedRow>({
    ...(pool ? { pool: pool as PgPoolLike } : { connectionString: url }),
    table: tables.target,
    ...writeOptions(shape),
    ...(shape.evolves ? { evolve: { widenTypes: true, lockTimeoutMs: 300 } } : {}),
    ...WHOLE[shape.whole ?? 'in parts'],
    concurrency: shape.concurrency,
    statementTimeoutMs: timeoutMs,
    // a server that is frozen wakes up while the stream still asks for the outcome
    commitTimeoutMs: 2 * timeoutMs,
    retry: { retries: RETRIES[shape.retries], minDelayMs: 4, maxDelayMs: 50 },
    ...(shape.badRows
      ? { rejectLimit: Number.POSITIVE_INFINITY, deadLetter: { table: tables.deadLetters } }
      : {}),
    ...(shape.checkpoint
      ? {
          checkpoint: {
            name: tables.target,
            table: tables.checkpoint,
            position: ({ part, n }: NumberedRow) => ({ partition: String(part), offset: Number(n) }),
            ...(startsAfter ? { startsAfter } : {}),
          },
        }
      : {}),
    ...(plan.sideEffects || plan.inTransaction
      ? {
          inTransaction: async (client, batch) => {
            // two rows, always in this order; a competitor takes them in the other
            for (const id of plan.sideEffects ? [1, 2] : []) {
              await client.query(`UPDATE ${tables.side} SET rows = rows + $1 WHERE id = ${id}`, [
                batch.length,
              ])
            }
            await plan.inTransaction?.(client, pool as unknown as PgPoolLike)
          },
        }
      : {}),
    ...(plan.callbackTimeoutMs ? { callbackTimeoutMs: plan.callbackTimeoutMs } : {}),
    ...(plan.onAcknowledged
      ? {
          afterCommit: (batch: readonly NumberedRow[]) =>
            plan.onAcknowledged!(batch.map(({ n }) => Number(n))),
        }
      : {}),
    onDiscard: items => discarded.push(...items.map(item => Number(item.n))),
  })
  sink.on('commit', ({ rows }) => plan.onCommit?.(rows))
  sink.on('retry', retry => plan.onRetry?.(retry))
  const batches = new BatchTransform<NumberedRow>({
    maxCount: BATCH_ROWS[shape.pace],
    maxWaitMs: 5,
  })
  let error: Error | undefined
  try {
    // all batches are there at once in a flood: one transaction would take very many
    if (shape.pace === 'flood') await pipeline(() => batchesOf(source(), BATCH_ROWS.flood), sink)
    else await pipeline(source, batches, sink)
  } catch (thrown) {
    error = thrown as Error
  }
  const leakedClients = pool ? await clientsStillOut(pool) : 0
  await pool?.end()
  return { error, sent, discarded, leakedClients }
}

/**
 * Clients that are not back in the pool. One that is still connecting goes back as soon as it is connected.
 */
async function clientsStillOut(pool: pg.Pool): Promise<number> {
  const out = () => pool.totalCount - pool.idleCount
  for (let attempt = 0; attempt < 40 && out() > 0; attempt++) await sleep(50)
  return out()
}

async function* batchesOf<Item>(items: AsyncIterable<Item>, count: number): AsyncGenerator<Item[]> {
  let batch: Item[] = []
  for await (const item of items) {
    if (batch.push(item) < count) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function pauseAfter(n: number, pace: LoadShape['pace']): number {
  if (pace === 'flood') return 0
  if (n >= PLENTY_OF_ROWS) return n % 5 === 0 ? 10 : 0
  if (pace === 'bursts') return n % BURST_ROWS === BURST_ROWS - 1 ? 25 : 0
  return n % 30 === 29 ? 3 : 0
}

function makePool({ url, timeoutMs, stream }: LoadPlan, max: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: timeoutMs,
    ...(stream ? { stream } : {}),
  })
  pool.on('error', () => {}) // idle clients die here by design
  return pool
}

/** Asks in turn until there is an answer, be it a standby's. */
async function storedPositions(
  plan: LoadPlan,
  urls: readonly string[],
): Promise<ReadonlyMap<string, bigint>> {
  for (let attempt = 0; ; attempt++) {
    const pool = makePool({ ...plan, url: urls[attempt % urls.length]! }, 1)
    try {
      return await readCheckpoint(pool as PgPoolLike, plan.tables.target, plan.tables.checkpoint)
    } catch {
      await sleep(20)
    } finally {
      await pool.end()
    }
  }
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
    case 'increments':
      return {
        onConflict: { target: ['n'], action: 'update', update: { times: 'stored.times + excluded.times' } },
      } as const
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
