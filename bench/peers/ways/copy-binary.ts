import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import binary from 'pg-copy-streams-binary'
import type { Column } from '../../support/table.ts'
import type { BenchTable, Row } from '../../support/tables/bench-table.ts'
import { withCopy } from './copy-strings.ts'
import { Joined } from './joined.ts'
import { throughPool, type Way } from './way.ts'

interface Field {
  readonly type: string
  readonly value: unknown
}

/**
 * Its types, by the first word of the column's; the value's class has to be exactly the one that it expects.
 */
const FIELDS: Readonly<Record<string, (value: unknown) => Field>> = {
  smallint: value => ({ type: 'int2', value: Number(value) }),
  int: value => ({ type: 'int4', value: Number(value) }),
  bigint: value => ({ type: 'int8', value: BigInt(value as number | string) }),
  float8: value => ({ type: 'float8', value: Number(value) }),
  boolean: value => ({ type: 'bool', value: value === true || value === 'true' }),
  timestamptz: value => ({
    type: 'timestamptz',
    value: value instanceof Date ? value : new Date(value as string),
  }),
  jsonb: value => ({ type: 'jsonb', value: typeof value === 'string' ? JSON.parse(value) : value }),
  text: value => ({ type: 'text', value }),
}

/** Types that it lacks, and what a table would have in their place. */
const IN_PLACE_OF: Readonly<Record<string, string>> = {
  numeric: 'float8',
  date: 'timestamptz',
  char: 'text',
  varchar: 'text',
}

function nearest({ name, type }: Column): Column {
  const [word] = type.split('(')
  return { name, type: IN_PLACE_OF[word!] ?? word! }
}

/**
 * `pg-copy-streams` and `pg-copy-streams-binary`, as documented or joined, into the nearest types that it
 * knows.
 */
export function copyBinary({ joined }: { joined: boolean }): Way {
  const columns = (table: BenchTable) => table.columns.map(nearest)
  const write = (table: BenchTable) => {
    const fields = columns(table).map(({ name, type }) => ({ name, field: FIELDS[type]! }))
    const tuples = function* (rows: readonly Row[]) {
      for (const row of rows) yield fields.map(({ name, field }) => field(row[name]))
    }
    return (pool: pg.Pool, rows: readonly Row[]) =>
      withCopy(pool, 'binary', copy =>
        joined
          ? pipeline(Readable.from(tuples(rows)), binary.rowWriter(), new Joined(), copy)
          : pipeline(Readable.from(tuples(rows)), binary.rowWriter(), copy),
      )
  }
  return throughPool(write, { tone: 'other', share: 1 / 4, columns })
}
