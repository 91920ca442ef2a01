import { setTimeout as sleep } from 'node:timers/promises'
import { type PgBatchError, type PgPoolLike, PgRowWriter, type WrittenRow } from '../../lib/index.ts'
import type { FaultProxy, Trap } from './network/proxy.ts'
import { seededRandom } from './random.ts'
import { settlesWithin } from './until.ts'

/*
 * Many callers who each await single rows while connections break, and the outcome of every row. The table
 * notes each change in a log, so that a row that was written twice shows.
 */

export interface SingleRow {
  readonly id: number
  readonly key: number
  readonly n: number
}

interface ReturnedRow {
  readonly id: number
  readonly seq: number
}

export const SINGLE_ROWS_TABLES = `DROP TABLE IF EXISTS t, log CASCADE;
  CREATE TABLE t (id int UNIQUE, key int PRIMARY KEY, n int CHECK (n >= 0), seq serial);
  CREATE TABLE log (op text, id int);
  CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO log VALUES (TG_OP, NEW.id); RETURN NULL; END $$;
  CREATE TRIGGER note AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note()`

/** One way of writing single rows, and how many keys they share. */
export interface SingleRowsWay {
  readonly title: string
  readonly options: object
  readonly keys: number
  /** Good rows may fail, because there are hardly any retries. */
  readonly mayFail: boolean
}

const returning = ['id', 'seq'] as const
const everyKey = { keys: Number.POSITIVE_INFINITY, mayFail: false }

export const SINGLE_ROWS_WAYS: readonly SingleRowsWay[] = [
  { title: 'by COPY', options: {}, ...everyKey },
  { title: 'with returning', options: { returning }, ...everyKey },
  {
    title: 'by upserts of few keys on 3 connections',
    options: {
      returning,
      onConflict: { target: ['key'], action: 'update' },
      concurrency: 3,
      laneOf: ({ key }: SingleRow) => key,
    },
    keys: 300,
    mayFail: false,
  },
  {
    title: 'with hardly a retry',
    options: { returning, retry: { retries: 1, minDelayMs: 1, maxDelayMs: 1 } },
    ...everyKey,
    mayFail: true,
  },
]

export interface SingleRowsPlan {
  readonly way: SingleRowsWay
  readonly pool: PgPoolLike
  readonly proxy: FaultProxy
  /** Asks past the proxy. */
  readonly query: (text: string) => Promise<readonly Record<string, unknown>[]>
  /** Ends every session of the writer. */
  readonly terminateAll: () => Promise<unknown>
  readonly callers: number
  readonly faults: number
  readonly seed: number
}

export interface SingleRowsEnd {
  readonly fired: number
  readonly sent: number
  readonly resolved: number
  /** Refused by the table's CHECK, as every hundredth row is. */
  readonly refused: number
  /** Failed with an outcome that is known, though the row was good. */
  readonly failed: number
  readonly unknown: number
  /** Resolved, and not there. */
  readonly lost: number
  /** Written twice, or written though the promise says that it was not. */
  readonly doubled: number
  /** What a promise says that is not so, in words. */
  readonly untrue: readonly string[]
}

const sent = (sql: RegExp): Pick<Trap, 'direction' | 'at'> => ({
  direction: 'up',
  at: ({ name, text }) => (name === 'Query' || name === 'Parse') && sql.test(text),
})

export const answered = (tag: RegExp): Pick<Trap, 'direction' | 'at'> => ({
  direction: 'down',
  at: ({ name, text }) => name === 'CommandComplete' && tag.test(text),
})

const TRAPS: readonly Omit<Trap, 'action'>[] = [
  { ...answered(/^COMMIT/) },
  { ...answered(/^COMMIT/), pass: 0.5 },
  { ...answered(/^BEGIN/) },
  { ...sent(/\bCOMMIT\b/) },
  { ...sent(/\bCOMMIT\b/), pass: 1 },
  { ...sent(/^BEGIN/), pass: 1 },
  { ...answered(/^(INSERT|COPY)/), skip: 50 },
  { direction: 'up', at: ({ name }) => name === 'Bind' || name === 'CopyData', skip: 70, pass: 0.5 },
  { direction: 'up', at: ({ name }) => name === 'CopyDone' },
  { direction: 'up', at: ({ name }) => name === 'CopyDone', pass: 1 },
  { direction: 'up', afterBytes: 3000 },
  { direction: 'down', afterBytes: 3000 },
]

/** A promise that has not settled by then never will. */
const SETTLE_MS = 60_000

/** Writes single rows until all faults have come, and judges each promise by what is in the table. */
export async function writeSingleRows(plan: SingleRowsPlan): Promise<SingleRowsEnd> {
  const { way, pool, callers } = plan
  await plan.query(SINGLE_ROWS_TABLES)
  const writer = new PgRowWriter<SingleRow, ReturnedRow>({
    pool,
    table: 't',
    maxCount: 200,
    retry: { minDelayMs: 1, maxDelayMs: 10 },
    ...way.options,
  })
  const settled = new Map<SingleRow, WrittenRow<ReturnedRow> | PgBatchError>()
  let isOver = false
  let ids = 0
  const call = async (): Promise<void> => {
    for (let turn = 0; turn < 3 || !isOver; turn++) {
      const id = ids++
      const key = way.keys === Number.POSITIVE_INFINITY ? id : id % way.keys
      const row = { id, key, n: id % 100 === 7 ? -1 : id }
      settled.set(row, await writer.write(row).catch((error: PgBatchError) => error))
    }
  }
  const calls = Promise.all(Array.from({ length: callers }, call))
  const fired = await injectFaults(plan)
  isOver = true
  await settlesWithin(SETTLE_MS, calls)
  await settlesWithin(SETTLE_MS, writer.end())
  const end = judge(settled, await plan.query('SELECT op, id FROM log ORDER BY id'), way)
  const untrue = [...end.untrue, ...statsOf(writer, end.resolved)]
  return { ...end, fired, sent: ids, untrue }
}

/** Breaks connections, one way after the other. */
async function injectFaults({ proxy, terminateAll, faults, seed }: SingleRowsPlan): Promise<number> {
  const random = seededRandom(seed)
  let fired = 0
  while (fired < faults) {
    await sleep(random.integer(0, 20))
    if (random.next() < 0.2) {
      await terminateAll()
      fired++
      continue
    }
    const trap = random.pick(TRAPS)
    const action = { do: random.pick(['cut', 'reset'] as const) }
    const hit = await Promise.race([
      proxy.arm({ ...trap, skip: random.integer(0, trap.skip ?? 2), action }).then(() => true),
      sleep(300, false),
    ])
    if (hit) fired++
    proxy.disarm()
  }
  return fired
}

function judge(
  settled: ReadonlyMap<SingleRow, WrittenRow<ReturnedRow> | PgBatchError>,
  log: readonly Record<string, unknown>[],
  way: SingleRowsWay,
): Omit<SingleRowsEnd, 'fired' | 'sent'> {
  const changes = new Map<unknown, unknown[]>()
  for (const { op, id } of log) changes.set(id, [...(changes.get(id) ?? []), op])
  const counts = { resolved: 0, refused: 0, failed: 0, unknown: 0, lost: 0, doubled: 0 }
  const untrue: string[] = []
  for (const [row, result] of settled) {
    const done = changes.get(row.id) ?? []
    if ('code' in result) {
      if (result.outcome === 'unknown') {
        counts.unknown++
        continue
      }
      counts.doubled += done.length
      if (row.n < 0 && result.sqlState === '23514') counts.refused++
      else counts.failed++
      if (row.n < 0 || (way.mayFail && result.retryable)) continue
      untrue.push(`row ${row.id} failed: ${result.message}`)
      continue
    }
    counts.resolved++
    if (done.length === 0) counts.lost++
    counts.doubled += Math.max(0, done.length - 1)
    const expected = result.action === 'inserted' ? 'INSERT' : 'UPDATE'
    if (done[0] !== expected) untrue.push(`row ${row.id} is ${result.action} by ${String(done[0])}`)
    const returnedId = 'returning' in way.options ? row.id : undefined
    if (result.row?.id !== returnedId) untrue.push(`row ${row.id} has returned ${String(result.row?.id)}`)
  }
  return { ...counts, untrue }
}

function statsOf(writer: PgRowWriter<SingleRow, ReturnedRow>, resolved: number): string[] {
  const { rowsReceived, rowsCommitted, rowsRejected, rowsPending } = writer.stats
  const isTrue =
    rowsPending === 0 && rowsCommitted === resolved && rowsReceived === rowsCommitted + rowsRejected
  return isTrue ? [] : [`stats are ${JSON.stringify(writer.stats)} after ${resolved} rows have resolved`]
}
