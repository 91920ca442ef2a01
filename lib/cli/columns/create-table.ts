import type { SourceRow } from '../../sources/rows.ts'
import { quoteIdentifier, quoteList, quoteTable, type TableParts } from '../../table/identifier.ts'
import { type InferredType, inferType, type ValueKind, widerType } from '../../values/infer-type.ts'
import { didYouMean } from '../../values/names/did-you-mean.ts'
import { listColumns } from '../../values/names/list-names.ts'
import type { CreateArguments } from '../arguments/create-arguments.ts'
import { dataError } from '../exit-error.ts'
import type { InferredColumn } from './infer-columns.ts'
import { TypeMismatch } from './type-mismatch.ts'

export interface CreateOptions {
  /** `--key`. */
  readonly key?: readonly string[] | undefined
  /** `--type`: the SQL type of a column. */
  readonly type?: ReadonlyMap<string, string> | undefined
  /** `--not-null`: NOT NULL for columns whose values are never missing. */
  readonly notNull?: boolean | undefined
}

/** A column of the table that is made. */
export interface NewColumn {
  readonly name: string
  /** The type in SQL. */
  readonly type: string
  /** Each row has a value. */
  readonly always: boolean
}

/**
 * Returns the CREATE TABLE statement, one line for each column.
 * @throws ExitError for names that cannot be columns
 */
export function createTableSql(
  table: TableParts,
  columns: readonly NewColumn[],
  options: CreateOptions,
): string {
  const { key = [], type = new Map<string, string>() } = options
  const names = columns.map(column => column.name)
  checkNames(names)
  for (const name of key) checkKnown(name, '--key', names)
  for (const name of type.keys()) checkKnown(name, '--type', names)
  const width = names.reduce((most, name) => Math.max(most, quoteIdentifier(name).length), 0)
  const lines = columns.map(column => {
    const notNull = options.notNull && column.always && !key.includes(column.name) ? ' NOT NULL' : ''
    const sqlType = type.get(column.name) ?? column.type
    return `  ${quoteIdentifier(column.name).padEnd(width)} ${sqlType}${notNull}`
  })
  if (key.length > 0) lines.push(`  PRIMARY KEY (${quoteList(key)})`)
  return `CREATE TABLE ${quoteTable(table)} (\n${lines.join(',\n')}\n)`
}

/** Returns why a value does not fit its column, or undefined. */
export type ValueCheck = (value: unknown) => TypeMismatch | undefined

/** Returns the check of a column's values, or undefined if any value fits. */
export type ColumnChecks = (column: string) => ValueCheck | undefined

/**
 * Returns checks for the rows after the sample. Each value must fit the type that was inferred: the server
 * alone would take `007` for an integer, and lose the zeros.
 */
export function columnChecks(
  columns: readonly InferredColumn[],
  options: CreateArguments,
  kind: ValueKind,
  sampled: string,
): ColumnChecks {
  const evolves = options.evolve === true && !options.create
  const checks = new Map<string, ValueCheck | undefined>()
  for (const { name, type } of columns) {
    // the server checks the types that the user named
    checks.set(
      name,
      options.type?.has(name) ? undefined : checkOfType(name, type, { kind, sampled, evolves }),
    )
  }
  return column => (checks.has(column) ? checks.get(column) : () => newColumn(column, sampled))
}

/** How the type of a column was inferred. */
export interface Inference {
  readonly kind: ValueKind
  /** The rows that were looked at. */
  readonly sampled: string
  /** The column was added to a table, and stays if the load fails. */
  readonly evolves: boolean
}

/** Returns the check of a column whose type was inferred. Text takes any value. */
export function checkOfType(
  column: string,
  type: InferredType,
  inference: Inference,
): ValueCheck | undefined {
  return type === 'text' ? undefined : value => valueMismatch(value, column, type, inference)
}

/** Returns the first mismatch among the values of a row. */
export function findMismatch(row: SourceRow, checks: ColumnChecks): TypeMismatch | undefined {
  for (const name in row) {
    const mismatch = checks(name)?.(row[name])
    if (mismatch) return mismatch
  }
  return undefined
}

function valueMismatch(
  value: unknown,
  column: string,
  type: InferredType,
  { kind, sampled, evolves }: Inference,
): TypeMismatch | undefined {
  const found = inferType(value, kind)
  if (found === undefined || found === type || widerType(type, found, kind) === type) return undefined
  const message = `the value of "${column}" is not ${type}, the type inferred from ${sampled}`
  const first = evolves ? 'drop the column, and ' : ''
  const hint = `${first}${INFER_ALL}, or say --type "${column}=text"`
  return new TypeMismatch('VALUE_NOT_ENCODABLE', message, { column, hint })
}

const INFER_ALL = 'infer from all rows with --infer all'

function newColumn(column: string, sampled: string): TypeMismatch {
  const message = `it has "${column}", which ${sampled} do not have`
  return new TypeMismatch('ROW_INVALID', message, { column, hint: INFER_ALL })
}

function checkNames(names: readonly string[]): void {
  if (names.length === 0) throw dataError('there are no rows to infer a table from')
  const long = names.find(name => Buffer.byteLength(name) > MAX_NAME_LENGTH)
  if (long === undefined) return
  throw dataError(
    `"${long}" is too long for the name of a column (${MAX_NAME_LENGTH} bytes); give another with --map`,
  )
}

/** NAMEDATALEN - 1. The server truncates longer names. */
const MAX_NAME_LENGTH = 63

function checkKnown(name: string, option: string, names: readonly string[]): void {
  if (names.includes(name)) return
  throw dataError(
    `${option} names "${name}"; the columns are: ${listColumns(names)}${didYouMean(name, names)}`,
  )
}
