import type pg from 'pg'
import type { FileIdentity } from './file-identity.ts'

/** What is remembered of a load that can be resumed, beside its checkpoint. */
export interface ResumeRecord extends FileIdentity {
  readonly file: string
  /** The table, quoted where needed, with its schema. */
  readonly target: string
  readonly format: string
  /** Rows in the file, and when the last one was in; undefined: not all of them are. */
  readonly finished: { readonly rows: number; readonly at: Date } | undefined
}

const CREATE = `CREATE TABLE IF NOT EXISTS pg_batch_resume (
  name text PRIMARY KEY, file text NOT NULL, target text NOT NULL, format text NOT NULL,
  size bigint NOT NULL, mtime_ns bigint NOT NULL, head_hash text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(), rows bigint, finished_at timestamptz)`

const READ = `SELECT file, target, format, size, mtime_ns, head_hash, rows, finished_at
  FROM pg_batch_resume WHERE name = $1`

const ADD = `INSERT INTO pg_batch_resume (name, file, target, format, size, mtime_ns, head_hash)
  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING`

const FINISH = 'UPDATE pg_batch_resume SET rows = $2, finished_at = now() WHERE name = $1'

/** Says that a load begins; returns what stands there, which is another's where one of that name has begun before. */
export async function beginRecord(
  pool: pg.Pool,
  name: string,
  begun: Omit<ResumeRecord, 'finished'>,
): Promise<ResumeRecord> {
  // asked first: a role may use the table and still not be let make one
  const known = await pool.query("SELECT to_regclass('pg_batch_resume') IS NOT NULL AS known")
  if (!known.rows[0].known) await pool.query(CREATE)
  const { file, target, format, size, mtimeNs, headHash } = begun
  await pool.query(ADD, [name, file, target, format, String(size), String(mtimeNs), headHash])
  const { rows } = await pool.query(READ, [name])
  const stored = rows[0]
  return {
    file: stored.file,
    target: stored.target,
    format: stored.format,
    size: BigInt(stored.size),
    mtimeNs: BigInt(stored.mtime_ns),
    headHash: stored.head_hash,
    finished: stored.finished_at ? { rows: Number(stored.rows), at: stored.finished_at } : undefined,
  }
}

export async function finishRecord(pool: pg.Pool, name: string, rows: number): Promise<void> {
  await pool.query(FINISH, [name, rows])
}
