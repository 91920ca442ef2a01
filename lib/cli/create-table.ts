import type { SourceRow } from '../sources/rows.ts'
import { quoteIdentifier, quoteList, quoteTable, type TableParts } from '../table/identifier.ts'
import { dataFailure } from './failure.ts'
import type { InferredColumn } from './infer-columns.ts'
import { type InferredType, inferType, type ValueKind, widerType } from './infer-type.ts'
import { didYouMean } from './nearest.ts'
import { RowMisfit } from './row-misfit.ts'

export interface CreateWishes {
  /** `--key`. */
  readonly key?: readonly string[] | undefined
  /** `--type`, an SQL type by column. */
  readonly type?: ReadonlyMap<string, string> | undefined
  /** `--not-null`: for the columns that always had a value. */
  readonly notNull?: boolean | undefined
}

/** A column that is still to be made. */
export interface NewColumn {
  readonly name: string
  /** In SQL. */
  readonly type: string
  /** Each row has a value. */
  readonly always: boolean
}

/** The statement that makes the table, a line for each column. @throws a Failure for names that are no columns */
export function createTableSql(
  table: TableParts,
  columns: readonly NewColumn[],
  wishes: CreateWishes,
): string {
  const { key = [], type = new Map<string, string>() } = wishes
  const names = columns.map(column => column.name)
  checkNames(names)
  for (const name of key) checkKnown(name, '--key', names)
  for (const name of type.keys()) checkKnown(name, '--type', names)
  const width = Math.max(...names.map(name => quoteIdentifier(name).length))
  const lines = columns.map(column => {
    const notNull = wishes.notNull && column.always && !key.includes(column.name) ? ' NOT NULL' : ''
    const sqlType = type.get(column.name) ?? column.type
    return `  ${quoteIdentifier(column.name).padEnd(width)} ${sqlType}${notNull}`
  })
  if (key.length > 0) lines.push(`  PRIMARY KEY (${quoteList(key)})`)
  return `CREATE TABLE ${quoteTable(table)} (\n${lines.join(',\n')}\n)`
}

/**
 * Checks the rows behind the sample, each value against the type that was inferred. The server alone would not do: it
 * takes `007` for an integer, and the zeros are lost.
 */
export function rowChecker(
  columns: readonly InferredColumn[],
  wishes: CreateWishes,
  kind: ValueKind,
  sampled: string,
): (row: SourceRow) => RowMisfit | undefined {
  const types = new Map<string, InferredType | undefined>(columns.map(({ name, type }) => [name, type]))
  for (const name of wishes.type?.keys() ?? []) types.set(name, undefined) // the user's own, for the server to check
  return row => {
    for (const name in row) {
      const value = row[name]
      const type = types.get(name)
      if (type === 'text' || (type === undefined && types.has(name))) continue
      if (type === undefined) return newColumn(name, sampled)
      const found = inferType(value, kind)
      if (found === undefined || found === type || widerType(type, found, kind) === type) continue
      return misfit(name, type, sampled)
    }
    return undefined
  }
}

const INFER_ALL = 'infer from all rows with --infer all'

function misfit(column: string, type: string, sampled: string): RowMisfit {
  return new RowMisfit(`the value of "${column}" is not ${type}, the type inferred from ${sampled}`, {
    code: 'VALUE_NOT_ENCODABLE',
    column,
    cure: `${INFER_ALL}, or say --type "${column}=text"`,
  })
}

function newColumn(column: string, sampled: string): RowMisfit {
  const message = `it has "${column}", which ${sampled} had not`
  return new RowMisfit(message, { code: 'ROW_INVALID', column, cure: INFER_ALL })
}

function checkNames(names: readonly string[]): void {
  if (names.length === 0) throw dataFailure('there are no rows to infer a table from')
  const long = names.find(name => Buffer.byteLength(name) > LONGEST_NAME)
  if (long === undefined) return
  throw dataFailure(
    `"${long}" is too long for the name of a column (${LONGEST_NAME} bytes); give another with --map`,
  )
}

/** NAMEDATALEN - 1; the server cuts longer names off. */
const LONGEST_NAME = 63

function checkKnown(name: string, option: string, names: readonly string[]): void {
  if (names.includes(name)) return
  throw dataFailure(
    `${option} names "${name}"; the columns are: ${names.join(', ')}${didYouMean(name, names)}`,
  )
}
