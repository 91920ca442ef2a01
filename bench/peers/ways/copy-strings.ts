import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { TABLE } from '../../support/table.ts'
import type { BenchTable, Row } from '../../support/tables/bench-table.ts'
import { Joined } from './joined.ts'
import { throughPool, type Way } from './way.ts'

const PIECE_LETTERS = 64 * 1024

/** `pg-copy-streams`, fed by csv-stringify as both their documents have it, or joined. */
export function csvStringify({ joined }: { joined: boolean }): Way {
  const write = ({ columns }: BenchTable) => {
    const options = {
      columns: columns.map(({ name }) => name),
      cast: { boolean: String, date: (value: Date) => value.toISOString() },
    }
    return (pool: pg.Pool, rows: readonly Row[]) =>
      withCopy(pool, 'csv', copy =>
        joined
          ? pipeline(Readable.from(rows), stringify(options), new Joined(), copy)
          : pipeline(Readable.from(rows), stringify(options), copy),
      )
  }
  return throughPool(write, { tone: 'other', share: 1 / 2 })
}

/** `pg-copy-streams`, fed by a template string for this very table; one write a row, or one for 64 KiB. */
export function templateStrings({ joined }: { joined: boolean }): Way {
  const write =
    ({ copyLine }: BenchTable) =>
    (pool: pg.Pool, rows: readonly Row[]) =>
      withCopy(pool, 'text', copy =>
        joined
          ? pipeline(Readable.from(gather(lines(rows, copyLine))), copy)
          : pipeline(Readable.from(lines(rows, copyLine)), copy),
      )
  return throughPool(write, { tone: 'other', ...(joined ? {} : { share: 1 / 2 }) })
}

export function* lines(rows: readonly Row[], line: BenchTable['copyLine']): Generator<string> {
  for (const row of rows) yield line(row as never)
}

/** Joins lines to pieces: a write to a socket costs more than a short string. */
export function* gather(lines: Iterable<string>): Generator<string> {
  let piece = ''
  for (const line of lines) {
    piece += line
    if (piece.length < PIECE_LETTERS) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

export async function withCopy(
  pool: pg.Pool,
  format: string,
  feed: (copy: ReturnType<typeof copyFrom>) => Promise<void>,
): Promise<void> {
  const client = await pool.connect()
  try {
    await feed(client.query(copyFrom(`COPY ${TABLE} FROM STDIN (FORMAT ${format})`)))
  } finally {
    client.release()
  }
}
