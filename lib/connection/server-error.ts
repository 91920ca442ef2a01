import { isError } from '../values/is-error.ts'
/** An error that the server sent, as `pg` hands it on. */
export interface ServerError extends Error {
  /** SQLSTATE, five characters. */
  code: string
  severity: string
  detail?: string
  where?: string
  table?: string
  column?: string
  constraint?: string
  /** Where in the statement's text the parser found the fault. */
  position?: string
  /** The function of the server's source that told of it. */
  routine?: string
}

/** The SQLSTATE of a table that is not there. */
export const UNDEFINED_TABLE = '42P01'

/** Tells the server's own words from those of sockets and drivers. */
export function isServerError(error: unknown): error is ServerError {
  return (
    isError(error) &&
    'severity' in error &&
    typeof (error as ServerError).code === 'string' &&
    /^[0-9A-Z]{5}$/.test((error as ServerError).code)
  )
}

/** A standby's answer to what writes, or that of a primary that is about to be one. */
const READ_ONLY_SQL_TRANSACTION = '25006'

/**
 * True when the connection can still be used: the server refused a statement and went on. One to a server that does not
 * write is of no use: another connection may lead elsewhere.
 */
export function connectionSurvives(error: unknown): boolean {
  if (!isServerError(error) || endsSession(error) || error.code === READ_ONLY_SQL_TRANSACTION) return false
  // translated by lc_messages, so that it alone would not do
  return error.severity !== 'FATAL' && error.severity !== 'PANIC'
}

/** True for connection exceptions (class 08), and for the shutdowns and time-outs that end a session (57P01 to 57P05). */
export function endsSession(error: ServerError): boolean {
  return /^(08|57P0[1-5])/.test(error.code) && !refusesValue(error)
}

/**
 * True when a type's input function refused a value. Its SQLSTATE may be any: 42601 for a tsquery, 3F000 for a regclass,
 * and 08P01, which is a pooler's, too, for a Buffer that is too short. The context tells: of COPY it begins with the row
 * and the column, of INSERT it is one line that names the parameter; a trigger's begins with the trigger's function.
 * What would have come at any other time, too (a time-out, a shutdown, memory that is out), has that context as well.
 */
export function refusesValue({ code, where = '' }: ServerError): boolean {
  if (code !== '08P01' && /^(08|25|40|53|55|57|58)/.test(code)) return false
  return /^COPY .+, [^ ]+ \d+, [^ ]+ ./.test(where) || (!where.includes('\n') && /\$\d/.test(where))
}

/** The functions by which PL/pgSQL, PL/Python and PL/Tcl report what a user's code raised. */
const RAISING_ROUTINES = ['exec_stmt_raise', 'PLy_elog_impl', 'PLy_output', 'throw_tcl_error']

/** True for what a function of the database raised, with an SQLSTATE of its own choice. */
export function isRaised({ routine = '' }: ServerError): boolean {
  return RAISING_ROUTINES.includes(routine)
}

/** Returns the column that an error names. What a user's code raised may name anything, a row's value for example. */
export function columnOf(error: ServerError): string | undefined {
  return isRaised(error) ? undefined : error.column
}

/**
 * True when an error came while the server worked on a row: its context names a line of COPY, a parameter or a
 * function, or an INSERT failed while it ran. A parser's error has a position instead. The row's value may be to blame
 * (a trigger's EXECUTE, a CHECK function, a cast to regclass), or a function that fails for every row.
 */
export function shownAtRow(error: ServerError): boolean {
  const { code, where, position, routine } = error
  if (/^(08|25|28|40|53|55P|57|58|XX00[12])/.test(code)) return false
  if (where) return true
  const ran = position === undefined && routine !== undefined && !statementErrors.has(error)
  // these come from the planner and the check of privileges, which know no position
  return ran && /^(42|3F)/.test(code) && !/^(42501|42P10|428C9|42809)$/.test(code)
}

const statementErrors = new WeakSet<Error>()

/** Notes that the server refused a COPY statement itself, which has no position, before it took a row. */
export function noteStatementError(error: Error): void {
  statementErrors.add(error)
}

/** Where in its data a COPY failed. */
export interface CopyContext {
  /** From 1; in binary as in text it counts rows, since line ends within values are escaped. */
  line: number
  column?: string
}

/**
 * Reads `COPY orders, line 2, column price: "x"` out of an error's context. Its words are translated by lc_messages;
 * the names of table and columns, which may hold commas and colons, are known.
 */
export function copyContext(
  error: ServerError,
  table: string,
  columns: readonly string[],
): CopyContext | undefined {
  const prefix = `COPY ${table}, `
  const start = `\n${error.where ?? ''}`.indexOf(`\n${prefix}`)
  if (start < 0) return undefined
  const match = /^[^ ]+ (\d+)(?:, [^ ]+ (.*))?/s.exec(error.where!.slice(start + prefix.length))
  if (!match) return undefined
  const [, line, rest = ''] = match
  const named = columns.filter(name => rest.startsWith(name) && /^\s?(:|$)/.test(rest.slice(name.length)))
  const column = named.sort((a, b) => b.length - a.length)[0]
  return { line: Number(line), ...(column === undefined ? {} : { column }) }
}
