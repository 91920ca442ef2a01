import type { PgClientLike, PgPoolLike } from '../../connection/pg-types.ts'
import { canCopy } from '../../connection/pool/driver-modes.ts'
import { Lease, type StopSignals } from '../../connection/pool/lease.ts'
import { queryText } from '../../connection/query-text.ts'
import { isServerError } from '../../connection/server-error.ts'
import { canTicket } from '../../connection/transaction/ticket.ts'
import { PgBatchError } from '../../errors.ts'
import { readUniqueIndexes, UNIQUE_INDEXES_SQL } from '../../table/catalogue/introspect-indexes.ts'
import { VIEW_DEFAULTS_SQL, withDefaults } from '../../table/catalogue/introspect-view.ts'
import { describeOtherRelation, RELATION_SQL } from '../../table/catalogue/other-relation.ts'
import { ROW_CONSTRAINTS_SQL, readRowConstraints } from '../../table/catalogue/row-constraints.ts'
import { TABLE_NAMES_SQL, tableHint } from '../../table/catalogue/table-names.ts'
import { checkSession } from '../../table/check-session.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import { describeTable } from '../../table/introspect.ts'
import type { Column, Table } from '../../types.ts'
import { afterOnBegin, type Beginning } from '../begin/on-begin.ts'
import { checkConflictSql, mayReadTables } from '../conflict/check-sql.ts'
import { needsIndexes } from '../conflict/conflict-target.ts'
import { CallbackError, notCreated, toPgBatchError } from '../faults/failure.ts'
import { isTransient } from '../faults/transient.ts'
import { makePlan, type WritePlan } from './plan.ts'
import type { WriteRequest } from './write-request.ts'

/** A table that is created if it does not exist. */
export interface SideTable {
  /** The option that names it. */
  readonly option: 'checkpoint.table' | 'deadLetter.table'
  readonly table: TableParts
  readonly create: string
  /** The columns that every version of it has. */
  readonly columns: readonly string[]
  /** Columns that tables of earlier versions lack, and the statement that adds them. */
  readonly lacking?: { readonly columns: readonly string[]; readonly add: string }
}

export interface IntrospectOptions {
  readonly pool: PgPoolLike
  readonly signals: StopSignals
  readonly sideTables: readonly SideTable[]
  readonly beginning: Beginning
  /** How long to wait for a client, and then for each answer. */
  readonly waitMs: number
  /** The table, if it is known. The catalogue is not asked then. */
  readonly described?: Table | undefined
}

/** A plan made from the answers of the server. */
export interface IntrospectedPlan<Item> {
  readonly plan: WritePlan<Item>
  /** Undefined where the database has no catalogue (pg-mem). */
  readonly table: Table | undefined
  /** The server can report the outcome of a transaction. */
  readonly ticketed: boolean
  /** The server has savepoints; a database without a catalogue does not. */
  readonly savepoints: boolean
}

/**
 * Introspects the table once, and makes the plan for the batches that follow.
 * @throws PgBatchError, `outcome: 'not-sent'`: no connection, no such table, no such columns or keys
 */
export async function introspectPlan<Item>(
  request: WriteRequest<Item>,
  options: IntrospectOptions,
): Promise<IntrospectedPlan<Item>> {
  const { pool, signals, sideTables, beginning, waitMs, described } = options
  let lease: Lease | undefined
  try {
    const taken = await Lease.take(pool, signals, waitMs)
    lease = taken
    const work = (): Promise<Table | undefined> => introspectTable(taken, request, described)
    // rolled back, because it has read only
    const table = await afterOnBegin(beginning, { lease, waitMs, end: 'rollback', work })
    const ticketed = table !== undefined && (await lease.within(waitMs, canTicket(lease.client)))
    const plan = makePlan(canCopy(lease.client) ? request : withoutCopy(request), table, ticketed)
    if (table) checkSession(table, writtenColumns(plan))
    if (plan.rowResults?.by === 'row by row' && !canCopy(lease.client)) throw cannotPipeline()
    if (plan.rowResults?.returning.length && !isPg(lease.client)) throw cannotReturn()
    for (const side of sideTables) {
      await ensureTable(side, work => afterOnBegin(beginning, { lease: taken, waitMs, end: 'commit', work }))
    }
    return { plan, table, ticketed, savepoints: table !== undefined }
  } catch (error) {
    const isOurs = error instanceof PgBatchError || error instanceof CallbackError
    if (!isOurs) lease?.noteFailure(error)
    if (signals.stop.aborted) {
      throw new PgBatchError('ABORTED', 'The stream was destroyed before anything was sent', {
        outcome: 'not-sent',
        cause: signals.stop.reason,
      })
    }
    throw toPgBatchError(error, 'not-sent', {}, lease ? 'write' : 'connect')
  } finally {
    lease?.release()
  }
}

function writtenColumns<Item>({ columns }: WritePlan<Item>): Column[] {
  return columns.flatMap(({ known }) => known?.column ?? [])
}

/** @throws PgBatchError when the user has set `method: 'copy'` */
function withoutCopy<Item>(request: WriteRequest<Item>): WriteRequest<Item> {
  if (request.method !== 'copy') return { ...request, method: 'insert' }
  const reason =
    "pg-native cannot run COPY: use `method: 'auto'` or 'insert', or a pool of `pg` itself (`new pg.Pool()`)"
  throw new PgBatchError('REFUSED', reason, { outcome: 'not-sent' })
}

function cannotPipeline(): PgBatchError {
  const reason =
    'pg-native cannot send statements ahead of answers: use a pool of `pg` itself (`new pg.Pool()`)'
  return new PgBatchError('REFUSED', reason, { outcome: 'not-sent' })
}

function cannotReturn(): PgBatchError {
  const reason =
    '`returning` needs the type parsers of `pg`, and the clients of this pool have no getTypeParser(): ' +
    'give them that of the client that they wrap'
  return new PgBatchError('REFUSED', reason, { outcome: 'not-sent' })
}

async function introspectTable<Item>(
  lease: Lease,
  request: WriteRequest<Item>,
  known: Table | undefined,
): Promise<Table | undefined> {
  const { table, method, columns, codecs } = request
  const ask = (text: string, values: unknown[]) => queryText(lease.client, text, values)
  let described = known
  try {
    described ??= await describeTable(
      ask,
      table,
      codecs?.map(({ type }) => type),
    )
  } catch (error) {
    // INSERT into named columns needs no catalogue
    if (method === 'insert' && columns && hasNoCatalogue(lease, error)) return undefined
    throw error
  }
  if (described) {
    return request.onConflict ? withConflict(lease, described, request) : described
  }
  throw await noTable(table, ask)
}

type Ask = (text: string, values: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>

/** Returns the error for a name that is not a table: what it is, or which table was probably meant. */
async function noTable(table: TableParts, ask: Ask): Promise<PgBatchError> {
  const name = quoteTable(table)
  const [other] = (await ask(RELATION_SQL, [name])).rows
  const reason = other
    ? `${name} is ${describeOtherRelation(other)}`
    : `Table ${name} does not exist${await whereAndHint(table, ask)}`
  return new PgBatchError('TABLE_NOT_FOUND', reason, { outcome: 'not-sent' })
}

async function whereAndHint(table: TableParts, ask: Ask): Promise<string> {
  const unseen = ', or this role cannot see it'
  const { schema, name } = table
  try {
    const { rows } = await ask('SELECT current_database() AS name', [])
    const known = (await ask(TABLE_NAMES_SQL, [schema ?? null])).rows.map(row => String(row.name))
    const shown = schema === undefined ? name : `${schema}.${name}`
    const hint = tableHint(shown, known) || nameHint(table)
    return ` in database ${JSON.stringify(rows[0]?.name)}${unseen}${hint}`
  } catch {
    return `${unseen}${nameHint(table)}` // a database whose catalogue lacks what the queries need
  }
}

/** Returns what may be wrong with the name of a table that does not exist. */
function nameHint(table: TableParts): string {
  const { schema, name } = table
  if (schema !== undefined && name.includes('.')) return ': a name has a schema and a table, and no database'
  const given = quoteTable(table)
  const lower = given.toLowerCase()
  return given === lower ? '' : `: names keep their case, and ${lower} is another one`
}

/** Checks the SQL of an upsert, and introspects the constraints, indexes and DEFAULTs that it needs. */
async function withConflict<Item>(
  { client }: Lease,
  table: Table,
  { onConflict, evolve }: WriteRequest<Item>,
): Promise<Table> {
  const constraints = await queryText(client, ROW_CONSTRAINTS_SQL, [quoteTable(table)])
  let described: Table = { ...table, ...readRowConstraints(constraints.rows[0]) }
  if (needsIndexes(onConflict!, table)) {
    const { rows } = await queryText(client, UNIQUE_INDEXES_SQL, [quoteTable(table)])
    described = { ...described, uniqueIndexes: readUniqueIndexes(rows[0]!) }
  }
  if (await mayReadTables(client, onConflict!)) described = { ...described, conflictReads: true }
  // only INSERT takes the DEFAULTs of the table behind a view
  if (table.kind === 'view' && onConflict!.mode === 'update-only') {
    const { rows } = await queryText(client, VIEW_DEFAULTS_SQL, [quoteTable(table)])
    described = withDefaults(described, rows[0]!)
  }
  // last, because an error ends the transaction; the SQL may name a column that the rows add
  if (!evolve?.addColumns) await checkConflictSql(client, onConflict!, table)
  return described
}

/** Returns true for a client of `pg`, or one that has what such a client has. */
function isPg(client: PgClientLike): boolean {
  return 'getTypeParser' in client
}

/**
 * pg-mem has no catalogue, and throws an error of its own. A server behind a connection of `pg` always has
 * one.
 */
function hasNoCatalogue({ client, broken }: Lease, error: unknown): boolean {
  return !isPg(client) && !broken && !isServerError(error) && !isTransient(error)
}

/**
 * Creates the table only if it does not exist: a role may have the right to write it but not to create it.
 * @throws PgBatchError for a table with other columns, or one that cannot be created
 */
async function ensureTable(side: SideTable, run: RunSideWork): Promise<void> {
  const { table, lacking } = side
  try {
    await run(async client => {
      const found = await columnsOf(client, table)
      if (!found) await client.query(side.create)
      else if (side.columns.some(name => !found.has(name))) throw isAnotherTable(side, found)
      else if (lacking?.columns.some(name => !found.has(name))) await client.query(lacking.add)
    })
  } catch (error) {
    if (error instanceof CallbackError || !isServerError(error)) throw error
    // despite IF NOT EXISTS, two sessions that create a table at once collide in the catalogue
    const isThere = await run(async client => columnsOf(client, table))
    if (!isThere) throw notCreated(table, error)
  }
}

/** The table has rows of something else, which must not be mixed with ours. */
function isAnotherTable({ option, table, columns }: SideTable, found: ReadonlySet<string>): PgBatchError {
  const missing = columns.filter(name => !found.has(name))
  const reason =
    `\`${option}\`: ${quoteTable(table)} is another table, without the columns ${missing.join(', ')}: ` +
    'name one that does not exist, and it is created'
  return new PgBatchError('REFUSED', reason, { outcome: 'not-sent' })
}

/** Runs statements that belong together, and commits them. */
type RunSideWork = <T>(work: (client: PgClientLike) => Promise<T>) => Promise<T>

/** Returns the names of a table's columns; undefined if the table does not exist. */
async function columnsOf(client: PgClientLike, table: TableParts): Promise<Set<string> | undefined> {
  const text = `SELECT attname::text AS name FROM (SELECT pg_catalog.to_regclass($1) AS oid) AS t
    LEFT JOIN pg_catalog.pg_attribute ON attrelid = t.oid AND attnum > 0 AND NOT attisdropped
    WHERE t.oid IS NOT NULL`
  const { rows } = await queryText(client, text, [quoteTable(table)])
  return rows.length > 0 ? new Set(rows.map(({ name }) => name as string)) : undefined
}
