import { describeOtherRelation, RELATION_SQL } from '../../table/catalogue/other-relation.ts'
import { TABLE_NAMES_SQL, tableHint } from '../../table/catalogue/table-names.ts'
import { parseTableName, quoteTable, type TableParts } from '../../table/identifier.ts'
import { didYouMean } from '../../values/names/did-you-mean.ts'
import { listNames } from '../../values/names/list-names.ts'
import { dataError, type ExitError } from '../exit-error.ts'
import type { Database } from './database.ts'
import { queryInTime } from './query-in-time.ts'
import type { QueryPool } from './query-pool.ts'

/** Explains that a name is not a table, with the name that was probably meant. */
export async function missingTable({ pool, name: where }: Database, name: string): Promise<ExitError> {
  const parts = parseTableName(name)
  const kind = await kindOf(pool, parts)
  if (kind !== undefined) return dataError(`${name} is ${kind}`)
  const [, rest] = THREE_PARTS.exec(name) ?? []
  if (rest !== undefined) {
    const database = 'DATABASE_URL or --database names the database'
    return dataError(`the table "${name}" has three parts; name it as "${rest}"; ${database}`)
  }
  if (parts.schema !== undefined) {
    const schemas = await schemaNames(pool)
    if (!schemas.includes(parts.schema)) {
      const has = `; its schemas are: ${listNames(schemas)}`
      return dataError(
        `the schema "${parts.schema}" does not exist in ${where}${has}${didYouMean(parts.schema, schemas)}`,
      )
    }
  }
  const known = await tableNames(pool, parts.schema)
  if (known.length === 0) {
    const place = parts.schema === undefined ? 'which' : 'whose schema'
    return dataError(`the table "${name}" does not exist in ${where}, ${place} has no tables yet${MAKE_IT}`)
  }
  return dataError(`the table "${name}" does not exist in ${where}${tableHint(name, known)}${MAKE_IT}`)
}

/** A name such as `shop.public.orders`, whose parts need no quotes. */
const THREE_PARTS = /^[^."]+\.([^."]+\.[^."]+)$/

const MAKE_IT = '; load --create makes it'

async function kindOf(pool: QueryPool, table: TableParts): Promise<string | undefined> {
  const { rows } = await queryInTime(pool, RELATION_SQL, [quoteTable(table)])
  return rows[0] && describeOtherRelation(rows[0])
}

async function schemaNames(pool: QueryPool): Promise<string[]> {
  const { rows } = await queryInTime<{ name: string }>(
    pool,
    `SELECT nspname AS name FROM pg_namespace
    WHERE nspname !~ '^(pg_|information_schema$)' ORDER BY 1 LIMIT 100`,
  )
  return rows.map(({ name }) => name)
}

/** Returns the names of tables as they have to be written; with a schema only its own. */
async function tableNames(pool: QueryPool, schema: string | undefined): Promise<string[]> {
  const { rows } = await queryInTime<{ name: string }>(pool, TABLE_NAMES_SQL, [schema ?? null])
  return rows.map(row => row.name)
}
