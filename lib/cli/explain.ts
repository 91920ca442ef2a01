import { PgBatchError } from '../errors.ts'
import { FormatUnknown, SourceError } from '../sources/source-error.ts'
import type { Table } from '../types.ts'
import { EmbeddedServerFailed, EmbeddedServerMissing } from './embedded-server.ts'
import { dataFailure, Failure, usageFailure } from './failure.ts'
import type { RejectLimit } from './reject-limit.ts'
import { plural } from './report.ts'
import { RowMisfit } from './row-misfit.ts'
import type { RowPositions } from './row-positions.ts'

/** What a load that failed has to tell: one line with the row, the column, and what is in the table by now. */
export function explainLoad(
  error: unknown,
  load: {
    placeOf: (row: number) => string
    table: Table
    positions: RowPositions
    rowsCommitted: number
    rejectLimit?: RejectLimit | undefined
  },
): Failure {
  const failure =
    error instanceof PgBatchError
      ? dataFailure(`${place(error, load)}: ${reason(error, load.table)}`, error)
      : explain(error)
  const soFar = load.rowsCommitted === 0 ? 'nothing' : plural(load.rowsCommitted, 'row')
  const text = `${failure.message}${overLimit(error, load.rejectLimit)}; ${soFar} committed`
  return new Failure(text, failure.status, { cause: error })
}

/** A row that could have been rejected, had not as many been before it. */
function overLimit(error: unknown, limit: RejectLimit | undefined): string {
  const isRow = error instanceof PgBatchError && error.rowIndex !== undefined
  return isRow && limit && 'rows' in limit && limit.rows > 0
    ? `; more than ${plural(limit.rows, 'row')} would be rejected`
    : ''
}

function place(
  error: PgBatchError,
  { placeOf, table, positions }: { placeOf: (row: number) => string; table: Table; positions: RowPositions },
): string {
  const { batchId, rowIndex } = error
  const number =
    batchId === undefined || rowIndex === undefined ? undefined : positions.rowNumber(batchId, rowIndex)
  return number === undefined ? table.name : placeOf(number)
}

function reason(error: PgBatchError, table: Table): string {
  if (error.cause instanceof RowMisfit) return `${error.cause.reason}; ${error.cause.cure}`
  const column = table.columns.find(({ name }) => name === error.column)
  const fault = error.sqlState === undefined ? undefined : VALUE_FAULTS[error.sqlState]
  if (column && fault)
    return `the value of "${column.name}" ${fault} ${column.type.sqlName} (SQLSTATE ${error.sqlState})`
  if (error.code === 'ROW_INVALID' && error.column !== undefined && !column) {
    return `it has "${error.column}", no column of ${table.name}; --columns takes only those you name`
  }
  if (error.callback === 'deadLetter') {
    return `rejected rows cannot be kept: ${(error.cause as Error).message}`
  }
  return error.reason
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
export function explain(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof FormatUnknown) return usageFailure(error.message, error)
  if (error instanceof SourceError) return dataFailure(error.message, error)
  if (error instanceof EmbeddedServerMissing) return usageFailure(error.message, error)
  if (error instanceof EmbeddedServerFailed) return dataFailure(error.message, error)
  if (error instanceof PgBatchError) return dataFailure(error.reason, error)
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0])
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
