import { expect } from 'chai'
import pg from 'pg'
import {
  type PgBatchError,
  PgRowWriter,
  type PgRowWriterOptions,
  type WrittenRow,
} from '../../../lib/index.ts'
import { useDatabase } from '../../support/servers/database.ts'

export type Row = Record<string, unknown>
export type Settled = WrittenRow<Row> | PgBatchError

/** Writes single rows into the table `t`, which a test creates. */
export function useSingleRows() {
  const database = useDatabase()
  const query = (text: string) => database.pool.query(text)
  let pool: pg.Pool

  before(() => {
    pool = new pg.Pool({ connectionString: database.connectionString, max: 4 })
  })
  after(() => pool.end())
  beforeEach(() => query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'))

  /** Writes rows at once, and returns how each promise has settled. */
  async function writeAll(
    rows: readonly Row[],
    options: Partial<PgRowWriterOptions<Row>>,
  ): Promise<Settled[]> {
    const writer = new PgRowWriter<Row, Row>({ pool, table: 't', ...options } as PgRowWriterOptions<Row>)
    const settled = Promise.all(rows.map(row => writer.write(row).catch((error: PgBatchError) => error)))
    await writer.end()
    const { rowsReceived, rowsCommitted, rowsUnchanged, rowsRejected, rowsPending } = writer.stats
    expect(rowsPending).to.equal(0)
    expect(rowsReceived).to.equal(rows.length)
    expect(rowsCommitted + rowsUnchanged + rowsRejected).to.equal(rows.length)
    return settled
  }

  const stored = async (text = 'SELECT * FROM t ORDER BY 1'): Promise<Row[]> => (await query(text)).rows

  return {
    database,
    query,
    /** The pool, once tests run. */
    get pool() {
      return pool
    },
    writeAll,
    stored,
  }
}
