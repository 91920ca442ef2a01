import type pg from 'pg'
import { TABLE } from '../../support/table.ts'
import type { BenchTable, Row } from '../../support/tables/bench-table.ts'
import { eachSlice, throughPool, type Way } from './way.ts'

/** A statement takes 65,535 parameters at the most. */
const MOST_PARAMETERS = 65_535

/** `pg` alone, each statement prepared once on its connection and committed by itself. */
export function rowByRow(): Way {
  return inStatements(() => 1, insertValues, { share: 1 / 50 })
}

export function multiRowValues(wantedRows: number): Way {
  const rows = ({ columns }: BenchTable) => Math.min(wantedRows, Math.floor(MOST_PARAMETERS / columns.length))
  return inStatements(rows, insertValues, { share: 1 / 5 })
}

/** An array for each column. */
export function unnest(rows: number, connections = 1): Way {
  return inStatements(() => rows, insertUnnest, { share: 1 / 2, connections })
}

type Query = (rows: readonly Row[]) => pg.QueryConfig

function inStatements(
  rowsOf: (table: BenchTable) => number,
  queryFor: (table: BenchTable) => Query,
  { share, connections = 1 }: { share: number; connections?: number },
): Way {
  const write = (table: BenchTable) => {
    const query = queryFor(table)
    return async (pool: pg.Pool, rows: readonly Row[]) => {
      const clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()))
      try {
        await eachSlice(rows, rowsOf(table), connections, (slice, connection) =>
          clients[connection]!.query(query(slice)),
        )
      } finally {
        for (const client of clients) client.release()
      }
    }
  }
  return throughPool(write, { tone: 'other', share })
}

export function insertValues({ columns }: BenchTable, suffix = ''): Query {
  const names = columns.map(({ name }) => name)
  const texts = new Map<number, string>()
  const textFor = (rows: number): string => {
    const tuple = (_: unknown, row: number) =>
      `(${names.map((_, column) => `$${row * names.length + column + 1}`).join(', ')})`
    const tuples = Array.from({ length: rows }, tuple).join(', ')
    return `INSERT INTO ${TABLE} (${names.join(', ')}) VALUES ${tuples}${suffix}`
  }
  return rows => {
    const text = texts.get(rows.length) ?? textFor(rows.length)
    texts.set(rows.length, text)
    const values = rows.flatMap(row => names.map(name => row[name]))
    return { name: `values ${rows.length}`, text, values }
  }
}

export function insertUnnest({ columns }: BenchTable, suffix = ''): Query {
  const names = columns.map(({ name }) => name)
  const arrays = columns.map(({ type }, column) => `$${column + 1}::${type}[]`).join(', ')
  const text = `INSERT INTO ${TABLE} (${names.join(', ')}) SELECT * FROM unnest(${arrays})${suffix}`
  return rows => ({ name: 'unnest', text, values: names.map(name => rows.map(row => row[name])) })
}
