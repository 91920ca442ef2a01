import { isServerError } from '../../connection/server-error.ts'
import { NUL_BYTE } from '../../csv/record.ts'
import { PgBatchError } from '../../errors.ts'
import type { Source } from '../../sources/source.ts'
import { MalformedRecord } from '../../sources/source-error.ts'
import type { Column, Table } from '../../types.ts'
import { plural } from '../../values/format-count.ts'
import { conditionName, standardText } from '../../write/faults/sqlstate-names.ts'
import { NEW_STREAM } from '../../write/faults/table-changed.ts'
import { sentValueOf } from '../../write/transaction/sent-value.ts'
import type { LoadArguments } from '../arguments/arguments.ts'
import { nameListWord } from '../arguments/option-values.ts'
import type { RejectLimit } from '../arguments/reject-limit.ts'
import { TypeMismatch } from '../columns/type-mismatch.ts'
import { neededPrivileges, privilegeHint } from '../database/privileges.ts'
import { dataError, ExitError } from '../exit-error.ts'
import { REJECTS_TABLE } from '../rejects/rejects-file.ts'
import type { RowPositions } from '../rows/row-positions.ts'
import { committedSoFar } from '../terminal/messages.ts'
import { explain } from './explain.ts'
import { explainKey } from './explain-key.ts'
import { replaceHint } from './replace-hint.ts'
import { type RunAgain, runAgain } from './run-again.ts'
import { valueHint } from './value-hint.ts'

export interface FailedLoad {
  readonly placeOf: (row: number, line?: number) => string
  readonly lineOf: (row: number) => number | undefined
  readonly table: Table
  /** The role that writes. */
  readonly user: string
  readonly positions: RowPositions
  readonly rowsCommitted: number
  /** Rows that are not counted may be committed: the server has not answered their COMMIT. */
  readonly mayHaveCommittedMore: boolean
  readonly format: Source['format']
  /** The environment says that dates begin with the day. */
  readonly isDayFirst: boolean
  /** True on a terminal. Values do not belong in logs. */
  readonly showsValues: boolean
  readonly args: Pick<
    LoadArguments,
    | 'rejects'
    | 'rejectLimit'
    | 'replay'
    | 'resume'
    | 'null'
    | 'forceNull'
    | 'decimalSeparator'
    | 'onConflict'
    | 'onConflictDo'
    | 'replace'
    | 'evolve'
    | 'format'
    | 'lenient'
  > &
    RunAgain
}

/** Returns what a failed load prints: the row, its fault, the next step, and the number of rows committed. */
export function explainLoad(error: unknown, load: FailedLoad): ExitError {
  const failure =
    error instanceof PgBatchError
      ? dataError(`${place(error, load)}: ${reason(error, load)}`, error)
      : explain(error, load.args, load.showsValues)
  const hint = isMalformed(error, load.args.replay) ? recordHint(load) : ''
  const text = `${failure.message}${hint}${overLimit(error, load.args.rejectLimit)}; ${soFar(load)}`
  return new ExitError(text, failure.status, { cause: error })
}

function soFar({ rowsCommitted, mayHaveCommittedMore, args }: FailedLoad): string {
  if (mayHaveCommittedMore) return `${committedSoFar(rowsCommitted, true)}; ${runAgain(args)}`
  return rowsCommitted === 0 ? 'nothing committed' : committedSoFar(rowsCommitted, false)
}

/** Returns what is printed for a malformed record among the rows that are sampled, before any is written. */
export function explainSample(error: unknown, load: Pick<FailedLoad, 'args' | 'format'>): unknown {
  return isMalformed(error)
    ? dataError(`${error.message}${recordHint(load)}; nothing committed`, error)
    : error
}

/** Returns true for a record without advice that the command prints, beside which others can be read. */
function isMalformed(error: unknown, isReplay = false): error is MalformedRecord {
  return error instanceof MalformedRecord && (isReplay || error.message === error.fault)
}

/** Adds that the row could have been rejected if fewer rows had been rejected before it. */
function overLimit(error: unknown, limit: RejectLimit | undefined): string {
  const isRow = error instanceof PgBatchError && error.rowIndex !== undefined
  return isRow && limit && 'rows' in limit && limit.rows > 0
    ? `; more than ${plural(limit.rows, 'row')} would be rejected`
    : ''
}

/** Returns `guests.csv: row 2 (line 3)`, or the table if the row is not known. */
function place(
  { batchId, rowIndex, reason }: PgBatchError,
  { placeOf, lineOf, table, positions }: FailedLoad,
): string {
  const number =
    batchId === undefined || rowIndex === undefined ? undefined : positions.rowNumber(batchId, rowIndex)
  if (number === undefined) return table.name
  const saysLine = /\bline \d/.test(reason)
  return placeOf(number, saysLine ? undefined : (positions.lineOf(batchId!, rowIndex!) ?? lineOf(number)))
}

function reason(error: PgBatchError, load: FailedLoad): string {
  const { table, args, format } = load
  const { cause, sqlState } = error
  if (cause instanceof TypeMismatch) return `${cause.reason}; ${cause.hint}`
  if (error.callback === 'deadLetter') return unkeptRejects(error, args)
  // without the advice to users of the library: the same command again would write committed rows twice
  if (error.code === 'TABLE_CHANGED') return error.reason.replace(`. ${NEW_STREAM}`, '')
  const column = table.columns.find(({ name }) => name === error.column)
  if (error.code === 'ROW_INVALID' && error.column !== undefined) {
    // the writer says why the key could not become a column
    if (args.evolve && !column) return error.reason.replace('`evolve.maxNewColumns`', '--max-new-columns')
    return explainKey(error.column, column, table, args)
  }
  const fault = sqlState === undefined ? undefined : VALUE_FAULTS[sqlState]
  if (column && fault) {
    const words = `${fault(column.sqlType, column.name)} (${sqlState})${shownValue(error, load)}`
    const hint = valueHint(error, args, {
      type: column.sqlType,
      isCsv: format === 'csv',
      isDayFirst: load.isDayFirst,
      isKept: isKept(args),
    })
    return `${words}${hint || rejectsHint(error, load)}`
  }
  if (sqlState === '23505') return `${refusal(error, load)}${conflictHint(error, load)}`
  if (sqlState === '23502' && column)
    return `${refusal(error, load)}${emptyHint(column, load)}${rejectsHint(error, load)}`
  if (sqlState === '23503')
    return `${refusal(error, load)}${parentHint(error, load)}${rejectsHint(error, load)}`
  if (sqlState === '55000' && VIEW.test(error.reason)) return `${refusal(error, load)}${VIEW_HINT}`
  const privileges = privilegeHint(cause, { user: load.user, table, privileges: neededPrivileges(args) })
  return `${refusal(error, load)}${privileges || rejectsHint(error, load)}`
}

const VIEW = /cannot (insert into|update) view/
const VIEW_HINT = '; load into the table that it reads, or give it an INSTEAD OF trigger'

/**
 * Faults of a value, in words. The server's own message quotes the value, which is shown on a terminal only.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const VALUE_FAULTS: Readonly<Record<string, (type: string, column: string) => string>> = {
  '22P02': invalid, // invalid_text_representation
  '22007': invalid, // invalid_datetime_format
  '22003': outOfRange, // numeric_value_out_of_range
  '22008': outOfRange, // datetime_field_overflow
  '22021': (_, column) => `a text with a character that no type holds, such as U+0000, for "${column}"`,
  '22001': (type, column) => `too long for "${column}", which is ${type}`, // string_data_right_truncation
}

function invalid(type: string, column: string): string {
  return `not a valid ${type} for "${column}"`
}

function outOfRange(type: string, column: string): string {
  return `out of the range of ${type} for "${column}"`
}

/**
 * Returns the value, which the server quotes in the context of its message or at its end. Of a value that is
 * too long it quotes nothing.
 */
function shownValue({ cause }: PgBatchError, { showsValues }: FailedLoad): string {
  if (!showsValues || !isServerError(cause)) return ''
  const value =
    /^COPY .+?, line \d+, column .+?: (".*)$/s.exec(cause.where ?? '') ?? /(".*")$/s.exec(cause.message)
  const sent = sentValueOf(cause)
  if (value) return `: ${value[1]}`
  return sent === undefined ? '' : `: "${sent}"`
}

/** Returns the server's message, without a value unless values may be shown. */
function refusal(error: PgBatchError, { showsValues }: FailedLoad): string {
  const { cause, sqlState, column } = error
  if (sqlState === undefined || !isServerError(cause)) return error.reason
  if (!quotesValue(error)) {
    const detail =
      showsValues && KEY_FAULTS.includes(sqlState) && cause.detail
        ? `: ${cause.detail.replace(/\.$/, '')}`
        : ''
    return `${cause.message} (${sqlState})${detail}`
  }
  const what = column === undefined ? 'the row' : `the value of "${column}"`
  if (showsValues) return `the server refused ${what} (${sqlState}): ${cause.message}`
  if (sqlState === 'P0001') return `a trigger or a function refused ${what} (${sqlState})`
  const condition = conditionName(sqlState)?.replaceAll('_', ' ')
  return `the server refused ${what}${condition ? `: ${condition}` : ''} (${sqlState})`
}

/** Their details have the key, and not the whole row. */
const KEY_FAULTS = ['23503', '23505']

/** Returns how an empty field of CSV is read, where a column of texts that is NOT NULL could take it. */
function emptyHint({ sqlType }: Column, { args, format }: FailedLoad): string {
  const isEmpty = format === 'csv' && args.format !== 'text' && args.null === undefined
  if (!isEmpty || !/^(?:text|character)\b/.test(sqlType)) return ''
  return "; an empty field is NULL, and the empty string with --null '\\N', in each column"
}

/** Returns what to do about a row whose parent is missing. The detail names the table of the parent. */
function parentHint({ cause }: PgBatchError, { table }: FailedLoad): string {
  const [, parents] =
    /is not present in table "(.+)"\.$/s.exec((isServerError(cause) && cause.detail) || '') ?? []
  if (parents === undefined) return ''
  return parents === table.name && table.selfReferences.length > 0
    ? '; the row that it refers to is neither in the table nor in the file'
    : `; the row that it refers to is not in "${parents}", which has to be loaded first`
}

/** Returns true if the library left out the server's message, because messages of its kind quote values. */
function quotesValue({ sqlState, reason }: PgBatchError): boolean {
  return sqlState !== undefined && reason.endsWith(`: ${standardText(sqlState)}`)
}

/** Returns what to do about a key that is in the table, or twice in the file. */
function conflictHint(error: PgBatchError, load: FailedLoad): string {
  const { table, args } = load
  if (args.onConflict || args.onConflictDo || args.replace) return rejectsHint(error, load)
  const key = table.uniqueKeys.find(({ constraint, index }) => (constraint ?? index) === error.constraint)
  const skip = '--on-conflict-do nothing'
  if (!key) return `; ${skip} keeps the row that is there`
  return `; --on-conflict ${nameListWord(key.columns)} updates the row that is there, ${skip} keeps it`
}

/** Returns what lets a load continue after a malformed record. */
function recordHint({ args, format }: Pick<FailedLoad, 'args' | 'format'>, fault = ''): string {
  if (args.replay) return '; replay reads what --rejects has written, load reads other files'
  if (isKept(args)) return ''
  const mayRepair = format === 'csv' && args.format !== 'text' && !args.lenient && !fault.includes(NUL_BYTE)
  const repairs = mayRepair ? ', --lenient repairs those whose meaning is clear' : ''
  return `; --rejects FILE keeps such records and loads the others${repairs}`
}

/** The classes of SQLSTATEs that a row can cause. */
const ROWS_FAULT = /^(22|23|44|P0)/

/** Returns what `--rejects` would do about a fault of a row. */
function rejectsHint(error: PgBatchError, { args, format, showsValues }: FailedLoad): string {
  const replacing = args.replace ? replaceHint(error) : undefined
  if (replacing !== undefined) return replacing
  const hidden = quotesValue(error)
  const isUnsent = error.code === 'VALUE_NOT_ENCODABLE'
  if (isUnsent && error.column === undefined) return recordHint({ args, format }, error.reason)
  const isRowsFault =
    isUnsent || (error.code === 'REFUSED' && (hidden || ROWS_FAULT.test(error.sqlState ?? '')))
  if (isKept(args) || !isRowsFault) return ''
  const isInWords = error.sqlState! in VALUE_FAULTS && error.column !== undefined
  const message = hidden && !showsValues && !isInWords ? " with the server's message," : ''
  return error.rowIndex === undefined
    ? `; --rejects FILE finds the row, keeps it${message} and loads the others`
    : `; --rejects FILE keeps such rows${message} and loads the others`
}

function isKept({ rejects, rejectLimit }: FailedLoad['args']): boolean {
  return rejects !== undefined || rejectLimit !== undefined
}

function unkeptRejects({ cause }: PgBatchError, { resume }: FailedLoad['args']): string {
  const why = (cause as Error).message
  if (resume === undefined) return `rejected rows cannot be kept: ${why}`
  const next = `run the same command again to write those that wait in the table ${REJECTS_TABLE}`
  return `rejected rows cannot be written to their file: ${why}; ${next}`
}
