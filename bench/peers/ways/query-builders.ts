import knex from 'knex'
import pgPromise from 'pg-promise'
import { eachSliceBy } from '../../support/each-slice.ts'
import { MOST_PARAMETERS } from '../../support/statements.ts'
import { TABLE } from '../../support/table.ts'
import type { BenchTable } from '../../support/tables/bench-table.ts'
import type { Way } from './way.ts'

const STATEMENT_ROWS = 1000

/** pg-promise writes values into the statement's text, so that no number of parameters bounds it. */
export function pgPromiseInsert(): Way {
  return {
    tone: 'other',
    from: 'objects',
    share: 1 / 5,
    async open({ connectionString, table }) {
      const pgp = pgPromise({ noWarnings: true })
      const db = pgp({ connectionString, max: 1 })
      const columns = new pgp.helpers.ColumnSet(
        table.columns.map(({ name }) => name),
        { table: TABLE },
      )
      return {
        write: (_, rows) =>
          eachSliceBy([db], { rows, size: STATEMENT_ROWS }, (db, slice) =>
            db.none(pgp.helpers.insert(slice as Row[], columns)),
          ),
        close: () => db.$pool.end(),
      }
    },
  }
}

type Row = Record<string, unknown>

/** knex commits all of it in one transaction. */
export function knexBatchInsert(): Way {
  return {
    tone: 'other',
    from: 'objects',
    share: 1 / 5,
    async open({ connectionString, table }) {
      const db = knex({ client: 'pg', connection: connectionString, pool: { min: 1, max: 1 } })
      return {
        write: async (_, rows) => {
          await db.batchInsert(TABLE, rows as Row[], chunkRows(table))
        },
        close: () => db.destroy(),
      }
    },
  }
}

function chunkRows({ columns }: BenchTable): number {
  return Math.min(STATEMENT_ROWS, Math.floor(MOST_PARAMETERS / columns.length))
}
