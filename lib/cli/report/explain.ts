import { EmbeddedServerFailed, EmbeddedServerMissing } from '../../embedded/embedded-server.ts'
import { PgBatchError } from '../../errors.ts'
import { didYouMean } from '../../options/did-you-mean.ts'
import { nearest } from '../../options/nearest.ts'
import { shellWord } from '../../sources/shell-word.ts'
import type { Source } from '../../sources/source.ts'
import { FormatUnknown, SourceError } from '../../sources/source-error.ts'
import type { Column, Table } from '../../types.ts'
import { standardText } from '../../write/faults/sqlstate-names.ts'
import type { LoadArguments } from '../arguments/arguments.ts'
import type { RejectLimit } from '../arguments/reject-limit.ts'
import { generatedBy } from '../columns/generated.ts'
import { RowMisfit } from '../columns/row-misfit.ts'
import { dataFailure, Failure, usageFailure } from '../exit-error.ts'
import { REJECTS_TABLE } from '../rejects/rejects-file.ts'
import type { RowPositions } from '../rows/row-positions.ts'
import { plural } from '../terminal/messages.ts'

interface FailedLoad {
  readonly placeOf: (row: number) => string
  readonly table: Table
  readonly positions: RowPositions
  readonly rowsCommitted: number
  readonly format: Source['format']
  readonly given: Pick<LoadArguments, 'rejects' | 'rejectLimit' | 'replay' | 'resume' | 'null' | 'forceNull'>
}

/** What a load that failed has to tell: one line with the row, the column, and what is in the table by now. */
export function explainLoad(error: unknown, load: FailedLoad): Failure {
  const failure =
    error instanceof PgBatchError
      ? dataFailure(`${place(error, load)}: ${reason(error, load)}`, error)
      : explain(error, load.given)
  const soFar = load.rowsCommitted === 0 ? 'nothing' : plural(load.rowsCommitted, 'row')
  const text = `${failure.message}${overLimit(error, load.given.rejectLimit)}; ${soFar} committed`
  return new Failure(text, failure.status, { cause: error })
}

/** A row that could have been rejected, had not as many been before it. */
function overLimit(error: unknown, limit: RejectLimit | undefined): string {
  const isRow = error instanceof PgBatchError && error.rowIndex !== undefined
  return isRow && limit && 'rows' in limit && limit.rows > 0
    ? `; more than ${plural(limit.rows, 'row')} would be rejected`
    : ''
}

function place(error: PgBatchError, { placeOf, table, positions }: FailedLoad): string {
  const { batchId, rowIndex } = error
  const number =
    batchId === undefined || rowIndex === undefined ? undefined : positions.rowNumber(batchId, rowIndex)
  return number === undefined ? table.name : placeOf(number)
}

function reason(error: PgBatchError, { table, given, format }: FailedLoad): string {
  if (error.cause instanceof RowMisfit) return `${error.cause.reason}; ${error.cause.cure}`
  if (error.callback === 'deadLetter') {
    const why = (error.cause as Error).message
    return given.resume === undefined
      ? `rejected rows cannot be kept: ${why}`
      : `rejected rows cannot be written to their file: ${why}; the same command, run again, writes those that wait in the table ${REJECTS_TABLE}`
  }
  const column = table.columns.find(({ name }) => name === error.column)
  if (error.code === 'ROW_INVALID' && error.column !== undefined) {
    return keyFault(error.column, column, table, given)
  }
  const fault = error.sqlState === undefined ? undefined : VALUE_FAULTS[error.sqlState]
  if (column && fault) {
    const cure = format === 'csv' ? emptyCure(error, given) : ''
    return `the value of "${column.name}" ${fault} ${column.type.sqlName} (SQLSTATE ${error.sqlState})${cure}`
  }
  return `${refusal(error)}${rejectsHint(error, given)}`
}

/** An empty field in quotes is no NULL, and no number either. */
function emptyCure({ cause }: PgBatchError, { null: nulls = [''], forceNull }: FailedLoad['given']): string {
  const isEmpty = cause instanceof Error && cause.message.endsWith(': ""')
  return isEmpty && nulls.includes('') && !forceNull
    ? '; it is empty and in quotes: --force-null makes it NULL'
    : ''
}

/** Of what the server said where it may have quoted a value, the name of the condition is left. */
function refusal(error: PgBatchError): string {
  if (!isHushed(error)) return error.reason
  const whose = error.column === undefined ? 'it' : `the value of "${error.column}"`
  return `the server refused ${whose}: ${standardText(error.sqlState!)}`
}

function isHushed({ sqlState, reason }: PgBatchError): boolean {
  return sqlState !== undefined && reason.endsWith(`: ${standardText(sqlState)}`)
}

/** What --rejects would have told. */
function rejectsHint(error: PgBatchError, { rejects }: FailedLoad['given']): string {
  const isRowsFault = /^(22|23|44|P0)/.test(error.sqlState ?? '') || isHushed(error)
  if (rejects !== undefined || error.code !== 'REFUSED' || !isRowsFault) return ''
  const finds = error.rowIndex === undefined ? 'finds the row' : ''
  const keeps = isHushed(error) ? "keeps the server's own words" : ''
  const does = [finds, keeps].filter(Boolean).join(' and ')
  return does && `; --rejects FILE ${does}`
}

/** A key of a JSON row that cannot be written. */
function keyFault(
  key: string,
  column: Column | undefined,
  table: Table,
  { replay }: FailedLoad['given'],
): string {
  if (column) {
    const cure = replay ? 'leave it out of the row' : 'name the others with --columns'
    return `it has "${key}", which ${table.name} generates itself (${generatedBy(column)}); ${cure}`
  }
  const known = table.columns.map(({ name }) => name)
  const what = `it has "${key}", no column of ${table.name}`
  if (replay) return `${what}${didYouMean(key, known)}`
  const [near] = nearest(key, known)
  if (near?.toLowerCase() === key.toLowerCase())
    return `${what}; --map ${shellWord(`${key}=${near}`)} takes it for "${near}"`
  return `${what}${didYouMean(key, known)}; --columns takes only those you name`
}

/**
 * Faults whose message the server words with the value itself, which is not repeated.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const VALUE_FAULTS: Readonly<Record<string, string>> = {
  '22P02': 'is not a valid', // invalid_text_representation
  '22003': 'is out of the range of', // numeric_value_out_of_range
  '22001': 'is too long for', // string_data_right_truncation
  '22007': 'is not a valid', // invalid_datetime_format
  '22008': 'is out of the range of', // datetime_field_overflow
}

/** Makes one line and a status of any error that can be foreseen; others are thrown on, with their stack. */
export function explain(error: unknown, given: { replay?: boolean } = {}): Failure {
  if (error instanceof Failure) return error
  if (error instanceof FormatUnknown) return usageFailure(error.message, error)
  // replay has none of the options that say how a file is read
  if (error instanceof SourceError) return dataFailure(given.replay ? error.fault : error.message, error)
  if (error instanceof EmbeddedServerMissing) return usageFailure(error.message, error)
  if (error instanceof EmbeddedServerFailed) return dataFailure(error.message, error)
  if (error instanceof PgBatchError) return dataFailure(error.reason, error)
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0], given)
  const { code, path, syscall } = error as NodeJS.ErrnoException
  if (code !== undefined && FILE_FAULTS[code] && syscall !== 'connect') {
    return usageFailure(`${path ?? 'the file'}: ${FILE_FAULTS[code]}`, error)
  }
  // of the server (five characters) or of the socket; neither knows the password
  if (code !== undefined)
    return dataFailure(`the database cannot be used: ${(error as Error).message}`, error)
  if (CONNECTION_LOST.test((error as Error).message)) {
    return dataFailure(`the connection to the database broke: ${(error as Error).message}`, error)
  }
  throw error
}

/** Words of pg, which gives no code with them. */
const CONNECTION_LOST = /^(Connection terminated|Client has encountered a connection error)/

const FILE_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'no such file',
}
