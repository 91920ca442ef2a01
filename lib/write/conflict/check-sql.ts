import type { PgClientLike } from '../../connection/pg-types.ts'
import { queryText } from '../../connection/query-text.ts'
import { isServerError, type ServerError } from '../../connection/server-error.ts'
import { PgBatchError } from '../../errors.ts'
import { READING_FUNCTIONS_SQL } from '../../table/catalogue/reading-functions.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import { type ConflictOption, computedBy } from './conflict-option.ts'

/** A piece of the user's SQL. */
interface UserSql {
  readonly option: string
  readonly sql: string
  readonly statement: string
}

/**
 * Lets the server read the SQL of `onConflict` before any row is sent. In the statement of an upsert, its
 * error would name neither the option nor the SQL.
 * @throws PgBatchError that names both
 */
export async function checkConflictSql(
  client: PgClientLike,
  option: ConflictOption,
  table: TableParts,
): Promise<void> {
  for (const one of userSqlOf(option, table)) {
    try {
      await queryText(client, one.statement)
    } catch (error) {
      if (isServerError(error) && isMistake(error)) throw mistakeIn(one, error)
      if (isServerError(error)) return // an upsert may still work: it needs other privileges
      throw error
    }
  }
}

/**
 * Any name may be a function's: `stored.total` calls one, too, if the table has no such column. A column, or
 * a word in a literal, with the name of such a function costs speed only.
 */
const NAME = /"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*)/gu
const OPERATOR = /[-+*/<>=~!@#%^&|`?]+/g

/**
 * Resolves to true where the SQL of `onConflict` calls a function that may read tables, and so what earlier
 * rows have left.
 */
export async function mayReadTables(client: PgClientLike, option: ConflictOption): Promise<boolean> {
  const sql = [option.where, ...computedBy(option).map(([, sql]) => sql)].join(' ')
  const names = [...sql.matchAll(NAME)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!.toLowerCase(),
  )
  if (names.length === 0) return false
  const { rows } = await queryText(client, READING_FUNCTIONS_SQL, [names, sql.match(OPERATOR) ?? []])
  return rows[0]!.found === 'true'
}

function userSqlOf(option: ConflictOption, table: TableParts): UserSql[] {
  const { where } = option
  const name = quoteTable(table)
  const from = `FROM ${name} AS stored, ${name} AS excluded WHERE`
  // the user's SQL may end with a comment
  const pieces = computedBy(option).map(([column, sql]) => ({
    option: `onConflict.update.${column}`,
    sql,
    statement: `EXPLAIN SELECT (${sql}\n) ${from} false`,
  }))
  if (where === undefined) return pieces
  return [
    ...pieces,
    { option: 'onConflict.where', sql: where, statement: `EXPLAIN SELECT ${from} (${where}\n)` },
  ]
}

const INSUFFICIENT_PRIVILEGE = '42501'

/** Class 42: syntax error or access rule violation. */
function isMistake({ code }: ServerError): boolean {
  return code.startsWith('42') && code !== INSUFFICIENT_PRIVILEGE
}

function mistakeIn({ option, sql }: UserSql, error: ServerError): PgBatchError {
  const what = `\`${option}\` is not valid SQL, ${JSON.stringify(sql)}`
  const reason = `${error.message} (SQLSTATE ${error.code})`
  const advice =
    'name columns as `stored.a` (the row of the table) and `excluded.a` (the row that is written)'
  const details = { outcome: 'not-sent', sqlState: error.code, cause: error } as const
  return new PgBatchError('REFUSED', `${what}: ${reason}; ${advice}`, details)
}
