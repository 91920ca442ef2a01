import type pg from 'pg'
import type { Statement } from './statements.ts'
import type { Write } from './timed-load.ts'

export interface Slices<Row> {
  readonly rows: readonly Row[]
  /** Rows in a slice. */
  readonly size: number
  /** Slices in flight. @default 1 */
  readonly connections?: number
}

/** Writes rows slice by slice, on one connection or several. */
export async function eachSlice<Row>(
  pool: pg.Pool,
  slices: Slices<Row>,
  write: (client: pg.PoolClient, slice: readonly Row[]) => PromiseLike<unknown>,
): Promise<void> {
  const { connections = 1 } = slices
  const clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()))
  try {
    await eachSliceBy(clients, slices, write)
  } finally {
    for (const client of clients) client.release()
  }
}

/** The same with clients of any kind. Each takes the next slice when it has written one. */
export async function eachSliceBy<Client, Row>(
  clients: readonly Client[],
  { rows, size }: Slices<Row>,
  write: (client: Client, slice: readonly Row[]) => PromiseLike<unknown>,
): Promise<void> {
  let from = 0
  const work = async (client: Client): Promise<void> => {
    while (from < rows.length) {
      const slice = rows.slice(from, from + size)
      from += size
      await write(client, slice)
    }
  }
  await Promise.all(clients.map(work))
}

/** Prepares each statement once on its connection; each execution is a transaction. */
export function inStatements<Row>(size: number, statement: Statement<Row>, connections = 1): Write<Row> {
  return (pool, rows) =>
    eachSlice(pool, { rows, size, connections }, (client, slice) => client.query(statement(slice)))
}
