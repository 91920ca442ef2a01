import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import postgres from 'postgres'
import { eachSliceBy } from '../../support/each-slice.ts'
import { TABLE } from '../../support/table.ts'
import type { BenchTable, Row } from '../../support/tables/bench-table.ts'
import { gather, lines } from './copy-strings.ts'
import type { Way, WayContext } from './way.ts'

const STATEMENT_ROWS = 1000

/** Its insert helper, which prepares the statement; several of them at a time on as many connections. */
export function postgresJsInsert(connections: number): Way {
  return {
    tone: 'other',
    from: 'objects',
    share: 1 / 5,
    async open({ connectionString, table }) {
      const sql = postgres(connectionString, { max: connections, fetch_types: false })
      const names = table.columns.map(({ name }) => name)
      const asTyped = typedValues(table)
      return {
        write: (_, rows) =>
          eachSliceBy(
            Array(connections).fill(sql),
            { rows, size: STATEMENT_ROWS },
            (sql, slice) =>
              sql`INSERT INTO ${sql(TABLE)} ${sql(asTyped(slice) as Record<string, never>[], names)}`,
          ),
        close: () => sql.end(),
      }
    },
  }
}

/** Its COPY stream, fed by a template string for this very table, in pieces of 64 KiB. */
export function postgresJsCopy(): Way {
  return {
    tone: 'other',
    from: 'objects',
    async open({ connectionString, table }: WayContext) {
      const sql = postgres(connectionString, { max: 1, fetch_types: false })
      return {
        async write(_, rows) {
          const copy = await sql`COPY ${sql(TABLE)} FROM STDIN`.writable()
          await pipeline(Readable.from(gather(lines(rows, table.copyLine))), copy)
        },
        close: () => sql.end(),
      }
    },
  }
}

/**
 * It turns any string for a boolean into false, and a string for jsonb into a JSON string: those two have to
 * be parsed.
 */
function typedValues({ columns }: BenchTable): (rows: readonly Row[]) => readonly Row[] {
  const parsed = columns.filter(({ type }) => type === 'boolean' || type === 'jsonb').map(({ name }) => name)
  const parse = (value: unknown): unknown => (typeof value === 'string' ? JSON.parse(value) : value)
  return rows =>
    parsed.some(name => typeof rows[0]?.[name] === 'string')
      ? rows.map(row => ({ ...row, ...Object.fromEntries(parsed.map(name => [name, parse(row[name])])) }))
      : rows
}
