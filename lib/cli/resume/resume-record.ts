import type { QueryPool } from '../database/query-pool.ts'
import type { FileIdentity } from '../files/file-identity.ts'

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
  /** The number of rows, and when the last one was written. Undefined while rows are missing. */
  readonly finished: { readonly rows: number; readonly at: Date } | undefined
}

const CREATE = `CREATE TABLE IF NOT EXISTS pg_batch_resume (
  name text PRIMARY KEY, files jsonb NOT NULL, target text NOT NULL, reading text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(), rows bigint, finished_at timestamptz)`

const KNOWN = "SELECT to_regclass('pg_batch_resume') IS NOT NULL AS known"

const READ = 'SELECT files, target, reading, rows, finished_at FROM pg_batch_resume WHERE name = $1'

const ADD = `INSERT INTO pg_batch_resume (name, files, target, reading)
  VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING`

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
  if (!(await isKnown(pool))) await pool.query(CREATE)
  const files = begun.files.map(file => ({
    ...file,
    size: String(file.size),
    mtimeNs: String(file.mtimeNs),
  }))
  await pool.query(ADD, [name, JSON.stringify(files), begun.target, begun.fingerprint])
  const { rows } = await pool.query(READ, [name])
  const stored = rows[0]
  return {
    files: stored.files.map((file: Record<keyof KnownFile, string>) => ({
      ...file,
      size: BigInt(file.size),
      mtimeNs: BigInt(file.mtimeNs),
    })),
    target: stored.target,
    fingerprint: stored.reading,
    finished: stored.finished_at ? { rows: Number(stored.rows), at: stored.finished_at } : undefined,
  }
}

/** Returns true if a load with this name has begun before. */
export async function hasRecord(pool: QueryPool, name: string): Promise<boolean> {
  return (await isKnown(pool)) && ((await pool.query(READ, [name])).rowCount ?? 0) > 0
}

export async function finishRecord(pool: QueryPool, name: string, rows: number): Promise<void> {
  await pool.query(FINISH, [name, rows])
}

async function isKnown(pool: QueryPool): Promise<boolean> {
  return (await pool.query(KNOWN)).rows[0].known
}
