import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import type pg from 'pg'
import { PgBatchError } from '../../lib/errors.ts'
import type { Stats } from '../../lib/types.ts'
import type { CommitEvent } from '../../lib/writable/events.ts'
import type { PgBatchWritableOptions } from '../../lib/writable/options.ts'
import { PgBatchWritable } from '../../lib/writable/pg-batch-writable.ts'

/** Every way that rows can travel; each is to store the same. */
export const METHODS = [
  { title: 'binary COPY', method: 'copy', copyFormat: 'binary' },
  { title: 'text COPY', method: 'copy', copyFormat: 'text' },
  { title: 'INSERT', method: 'insert' },
  { title: 'method auto', method: 'auto' },
] as const

/** A way to write, as options. */
export function options({
  title: _,
  ...way
}: (typeof METHODS)[number]): Omit<(typeof METHODS)[number], 'title'> {
  return way
}

export interface Written {
  readonly commits: CommitEvent[]
  readonly stats: Readonly<Stats>
}

/** Writes batches by a pipeline to the end and checks that stats and commit events agree. */
export async function write<Item, Row = Item>(
  batches: Iterable<readonly Item[]>,
  writableOptions: PgBatchWritableOptions<Item, Row>,
): Promise<Written> {
  const writable = new PgBatchWritable<Item, Row>(writableOptions)
  const commits: CommitEvent[] = []
  writable.on('commit', commit => {
    commits.push(commit)
    expectBalanced(writable.stats)
  })
  await pipeline(Readable.from(batches), writable)
  const { stats } = writable
  expectBalanced(stats)
  expect(stats.rowsPending).to.equal(0)
  expect(sum(commits, 'rows')).to.equal(stats.rowsCommitted)
  expect(sum(commits, 'rowsUnchanged')).to.equal(stats.rowsUnchanged)
  expect(sum(commits, 'bytes')).to.equal(stats.bytesSent)
  expect(sum(commits, 'batches')).to.equal(stats.batchesCommitted)
  expect(commits.length).to.equal(stats.transactions)
  return { commits, stats }
}

function sum(commits: readonly CommitEvent[], key: 'rows' | 'rowsUnchanged' | 'bytes' | 'batches'): number {
  return commits.reduce((total, commit) => total + commit[key], 0)
}

/** `rowsReceived` is the sum of the other five, at any time. */
export function expectBalanced(stats: Readonly<Stats>): void {
  const { rowsCommitted, rowsUnchanged, rowsRejected, rowsSkipped, rowsPending } = stats
  expect(stats.rowsReceived).to.equal(
    rowsCommitted + rowsUnchanged + rowsRejected + rowsSkipped + rowsPending,
  )
  expect(rowsPending).to.be.at.least(0)
}

/** What a promise rejects with; fails when it does not, or not with a PgBatchError. */
export async function failureOf(promise: Promise<unknown>): Promise<PgBatchError> {
  const error = await rejectionOf(promise)
  if (!(error instanceof PgBatchError)) throw error
  return error
}

/** What a promise rejects with; fails when it does not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error('Expected a failure, but it went well')
    },
    error => error,
  )
}

/** The rows of a query, each as an array of its values. */
export async function valuesOf(pool: pg.Pool, text: string): Promise<unknown[][]> {
  const { rows } = await pool.query({ text, rowMode: 'array' })
  return rows as unknown[][]
}

export async function countOf(pool: pg.Pool, table: string): Promise<number> {
  return Number((await valuesOf(pool, `SELECT count(*) FROM ${table}`))[0]![0])
}

/** `count` numbers from `from`, made into rows. */
export function rowsOf<Row>(count: number, make: (index: number) => Row, from = 0): Row[] {
  return Array.from({ length: count }, (_, index) => make(from + index))
}

/** Cuts rows into batches. */
export function batchesOf<Row>(rows: readonly Row[], size: number): Row[][] {
  return rowsOf(Math.ceil(rows.length / size), batch => rows.slice(batch * size, (batch + 1) * size))
}

/** A title as part of a table's name that needs no quotes. */
export function slug(title: string): string {
  return title.toLowerCase().replace(/\W+/g, '_')
}
