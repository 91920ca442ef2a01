import type { AddedColumn } from '../../table/alter-table.ts'
import { queryInTime } from '../database/query-in-time.ts'
import type { QueryPool } from '../database/query-pool.ts'
import type { FileIdentity } from '../files/file-identity.ts'
import type { Distribution } from './distribution.ts'

export interface KnownFile extends FileIdentity {
  readonly path: string
}

/** What is stored about a load that can be resumed, beside its checkpoint. */
export interface ResumeRecord {
  /** In the order in which they are read. */
  readonly files: readonly KnownFile[]
  /** The table, with its schema and quoted. */
  readonly target: string
  /** How the files are read. */
  readonly fingerprint: string
  /** How rows are distributed to workers, so that another run distributes them in the same way. */
  readonly distribution: Distribution
  /** The columns that --evolve has added, with the inferred types that later values are compared with. */
  readonly newColumns: readonly AddedColumn[]
  /** The number of rows, and when the last one was written. Undefined while rows are missing. */
  readonly finished: { readonly rows: number; readonly at: Date } | undefined
}

const CREATE = `CREATE TABLE IF NOT EXISTS pg_batch_resume (
  name text PRIMARY KEY, files jsonb NOT NULL, target text NOT NULL, reading text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(), rows bigint, finished_at timestamptz,
  workers int NOT NULL DEFAULT 1, chunk_rows int NOT NULL DEFAULT 1, new_columns jsonb)`

/** An earlier version created the table without these columns. */
const ALTER = `ALTER TABLE pg_batch_resume ADD COLUMN IF NOT EXISTS workers int NOT NULL DEFAULT 1,
  ADD COLUMN IF NOT EXISTS chunk_rows int NOT NULL DEFAULT 1, ADD COLUMN IF NOT EXISTS new_columns jsonb`

const KNOWN = `SELECT to_regclass('pg_batch_resume') IS NOT NULL AS known, EXISTS (SELECT FROM pg_attribute
  WHERE attrelid = to_regclass('pg_batch_resume') AND attname = 'new_columns') AS current`

/** Columns that an earlier version did not have are undefined. */
const READ = 'SELECT * FROM pg_batch_resume WHERE name = $1'

const ADD = `INSERT INTO pg_batch_resume (name, files, target, reading, workers, chunk_rows, new_columns)
  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING`

const ADD_COLUMNS = `UPDATE pg_batch_resume SET new_columns = coalesce(new_columns, '[]') || $2::jsonb
  WHERE name = $1`

const FIND = 'SELECT FROM pg_batch_resume WHERE name = $1'

const FINISH = 'UPDATE pg_batch_resume SET rows = $2, finished_at = now() WHERE name = $1'

/**
 * Stores that a load begins. Returns the stored record, which an earlier load with this name may have
 * written.
 */
export async function beginRecord(
  pool: QueryPool,
  name: string,
  begun: Omit<ResumeRecord, 'finished'>,
): Promise<ResumeRecord> {
  // a role may be allowed to use the table and not to create it
  const { known, current } = await tableState(pool)
  if (!known) await queryInTime(pool, CREATE)
  else if (!current) await queryInTime(pool, ALTER)
  const files = begun.files.map(file => ({
    ...file,
    size: String(file.size),
    mtimeNs: String(file.mtimeNs),
  }))
  const { workers, chunkRows } = begun.distribution
  const values = [name, JSON.stringify(files), begun.target, begun.fingerprint, workers, chunkRows]
  await queryInTime(pool, ADD, [...values, JSON.stringify(begun.newColumns)])
  return (await readRecord(pool, name))!
}

/**
 * Returns how a load that has begun before distributes its rows. Undefined if none has. Changes nothing.
 */
export async function readDistribution(pool: QueryPool, name: string): Promise<Distribution | undefined> {
  return (await tableState(pool)).known ? (await readRecord(pool, name))?.distribution : undefined
}

/** Returns the columns that --evolve has added in an earlier run of a load. Changes nothing. */
export async function readNewColumns(pool: QueryPool, name: string): Promise<readonly AddedColumn[]> {
  if (!(await tableState(pool)).known) return []
  return (await readRecord(pool, name))?.newColumns ?? []
}

/** Stores columns that were added while rows were written. */
export async function addNewColumns(
  pool: QueryPool,
  name: string,
  added: readonly AddedColumn[],
): Promise<void> {
  await queryInTime(pool, ADD_COLUMNS, [name, JSON.stringify(added)])
}

async function readRecord(pool: QueryPool, name: string): Promise<ResumeRecord | undefined> {
  const { rows } = await queryInTime(pool, READ, [name])
  const stored = rows[0]
  if (!stored) return undefined
  return {
    files: stored.files.map((file: Record<keyof KnownFile, string>) => ({
      ...file,
      size: BigInt(file.size),
      mtimeNs: BigInt(file.mtimeNs),
    })),
    target: stored.target,
    fingerprint: stored.reading,
    distribution: { workers: stored.workers ?? 1, chunkRows: stored.chunk_rows ?? 1 },
    newColumns: stored.new_columns ?? [],
    finished: stored.finished_at ? { rows: Number(stored.rows), at: stored.finished_at } : undefined,
  }
}

/** Returns true if a load with this name has begun before. */
export async function hasRecord(pool: QueryPool, name: string): Promise<boolean> {
  return (await tableState(pool)).known && ((await queryInTime(pool, FIND, [name])).rowCount ?? 0) > 0
}

export async function finishRecord(pool: QueryPool, name: string, rows: number): Promise<void> {
  await queryInTime(pool, FINISH, [name, rows])
}

async function tableState(pool: QueryPool): Promise<{ known: boolean; current: boolean }> {
  return (await queryInTime(pool, KNOWN)).rows[0]
}
