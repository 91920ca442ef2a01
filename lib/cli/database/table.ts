import type { PgClientLike } from '../../connection/pg-types.ts'
import { Lease } from '../../connection/pool/lease.ts'
import { connectionSurvives } from '../../connection/server-error.ts'
import { shellWord } from '../../sources/shell-word.ts'
import { readUniqueIndexes, UNIQUE_INDEXES_SQL } from '../../table/catalogue/introspect-indexes.ts'
import { parseTableName, quoteIdentifier, quoteTable, type TableParts } from '../../table/identifier.ts'
import { describeTable, INTROSPECTION_SQL, introspectionValues } from '../../table/introspect.ts'
import { readTable } from '../../table/read-table.ts'
import type { Table, UniqueIndex } from '../../types.ts'
import { didYouMean } from '../../values/names/did-you-mean.ts'
import { MAX_TIMER_MS } from '../../values/time/timer-limit.ts'
import { dataError, type ExitError } from '../exit-error.ts'
import type { Database } from './database.ts'
import { missingTable } from './missing-table.ts'
import { privilegeHint } from './privileges.ts'
import type { QueryPool } from './query-pool.ts'

/** Introspects the table before a row is read, so that a wrong name fails at once. */
export async function findTable(database: Database, name: string): Promise<Table> {
  const table = await lookUp(database, name)
  if (table) return table
  throw await missingTable(database, name)
}

/** Returns the unique indexes of a table, of expressions and partial ones, too. */
export async function uniqueIndexesOf({ pool }: Database, table: Table): Promise<UniqueIndex[]> {
  return readUniqueIndexes((await pool.query(UNIQUE_INDEXES_SQL, [quoteTable(table)])).rows[0]!)
}

export async function tableExists(database: Database, name: string): Promise<boolean> {
  return (await lookUp(database, name)) !== undefined
}

function lookUp(database: Database, name: string): Promise<Table | undefined> {
  return database.earlyLookup?.take() ?? introspect(database, database.pool, name)
}

/** Introspects a table by a query of a pool or of a session. Resolves to undefined if it does not exist. */
export async function introspect(
  { user }: Pick<Database, 'user'>,
  session: Pick<QueryPool, 'query'>,
  name: string,
): Promise<Table | undefined> {
  const table = parseTableName(name)
  try {
    return await describeTable((text, values) => session.query(text, values), table)
  } catch (error) {
    const hint = privilegeHint(error, { user, table })
    if (hint === '') throw error
    throw dataError(`${(error as Error).message} (${(error as { code: string }).code})${hint}`, error)
  }
}

export async function isEmpty(pool: QueryPool, name: string): Promise<boolean> {
  const { rows } = await pool.query(`SELECT 1 FROM ${quoteTable(parseTableName(name))} LIMIT 1`)
  return rows.length === 0
}

/** A statement that contains names or types from the data or the user. */
export interface Execution {
  /** The change, as messages name it. */
  readonly done: 'created' | 'emptied' | 'altered'
  readonly table: string
  readonly privileges?: string
}

/**
 * Runs a statement, and commits it. What fails before COMMIT has changed nothing, and may be tried again.
 * @throws ExitError that says what to do; without a cause if COMMIT may be done, so that it is not repeated
 */
export async function execute({ pool, user }: Database, sql: string, execution: Execution): Promise<void> {
  let commits = false
  const work = async (client: PgClientLike): Promise<void> => {
    await client.query(sql)
    commits = true
    await client.query('COMMIT')
  }
  try {
    await Lease.use(pool, client => inTransaction(client, () => work(client)), MAX_TIMER_MS)
  } catch (error) {
    if (commits && !connectionSurvives(error)) throw answerLost(error, execution)
    throw notExecuted(error, user, execution)
  }
}

function answerLost(error: unknown, { table, done }: Execution): ExitError {
  const reason = (error as Error).message
  return dataError(`${table} may or may not have been ${done}: the connection broke during COMMIT: ${reason}`)
}

/**
 * Returns the table as it is after a statement, which is rolled back.
 * @throws ExitError that says what to do
 */
export async function tableAfter(
  { pool, user }: Database,
  sql: string,
  execution: Execution,
): Promise<Table> {
  const values = introspectionValues(parseTableName(execution.table))
  try {
    const work = async (client: PgClientLike): Promise<Table> => {
      await client.query(sql)
      const { rows } = await client.query(INTROSPECTION_SQL, values)
      await client.query('ROLLBACK')
      return readTable(rows[0]!)
    }
    return await Lease.use(pool, client => inTransaction(client, () => work(client)))
  } catch (error) {
    throw notExecuted(error, user, execution)
  }
}

function notExecuted(error: unknown, user: string, { done, table: name, privileges }: Execution): ExitError {
  const table = parseTableName(name)
  const wanted = { user, table, ...(privileges ? { privileges } : { onSchema: 'CREATE' as const }) }
  const hint =
    privilegeHint(error, wanted) || schemaHint(error, table) || columnHint(error) || typeHint(error)
  return dataError(`${name} cannot be ${done}: ${(error as Error).message}${hint}`, error)
}

/** SQLSTATE 42701, duplicate_column: also a column with the name of a system column, such as xmin. */
function columnHint(error: unknown): string {
  const { code, message } = error as { code?: string; message: string }
  const [, name] = (code === '42701' && /^column name "(.+)" conflicts/.exec(message)) || []
  return name === undefined ? '' : `; --map ${shellWord(`${name}=${name}_`)} gives the column another name`
}

/** SQLSTATE 42704, undefined_object: of `--type`. */
function typeHint(error: unknown): string {
  const { code, message } = error as { code?: string; message: string }
  const [, name] = (code === '42704' && /^type "(.+)" does not exist/.exec(message)) || []
  return name === undefined ? '' : didYouMean(name, COMMON_TYPES)
}

/** Under the names that people write. */
const COMMON_TYPES = [
  ...['smallint', 'integer', 'bigint', 'int', 'int2', 'int4', 'int8', 'serial', 'bigserial'],
  ...['numeric', 'decimal', 'real', 'float', 'float4', 'float8', 'double precision', 'money'],
  ...['text', 'varchar', 'char', 'character varying', 'citext', 'uuid', 'bytea', 'json', 'jsonb', 'xml'],
  ...['boolean', 'bool', 'date', 'time', 'timestamp', 'timestamptz', 'timetz', 'interval'],
  ...['inet', 'cidr', 'macaddr', 'point', 'int4range', 'tsvector'],
]

/** SQLSTATE 3F000, invalid_schema_name. */
function schemaHint(error: unknown, { schema }: TableParts): string {
  const isMissing = schema !== undefined && (error as { code?: string }).code === '3F000'
  return isMissing ? `; make it first: CREATE SCHEMA ${quoteIdentifier(schema)}` : ''
}

/** Drops the table again if it is empty, so that the same command can be run again. */
export async function dropIfEmpty(pool: QueryPool, name: string): Promise<boolean> {
  const table = quoteTable(parseTableName(name))
  try {
    return await Lease.use(pool, client => dropUnlessFilled(client, table))
  } catch {
    return false // the load has failed already, often for the same reason
  }
}

async function dropUnlessFilled(client: PgClientLike, table: string): Promise<boolean> {
  return inTransaction(client, async () => {
    await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE NOWAIT`)
    const { rows } = await client.query(`SELECT 1 FROM ${table} LIMIT 1`)
    if (rows.length === 0) await client.query(`DROP TABLE ${table}`)
    await client.query('COMMIT')
    return rows.length === 0
  })
}

/** Begins a transaction, which the work ends. If it fails, the client is free for the next one. */
async function inTransaction<T>(client: PgClientLike, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN')
  try {
    return await work()
  } catch (error) {
    if (connectionSurvives(error)) await client.query('ROLLBACK')
    throw error
  }
}
