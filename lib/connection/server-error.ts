import { isError } from '../values/is-error.ts'

/** An error that the server has sent, as `pg` passes it on. */
export interface ServerError extends Error {
  /** SQLSTATE, five characters. */
  code: string
  severity: string
  detail?: string
  hint?: string
  where?: string
  schema?: string
  table?: string
  column?: string
  constraint?: string
  /** Where in the statement's text the parser found the error. */
  position?: string
  /** The function of the server's source that reported the error. */
  routine?: string
}

/** The SQLSTATE for a table that does not exist. */
export const UNDEFINED_TABLE = '42P01'

/** Distinguishes errors of the server from those of sockets and drivers. */
export function isServerError(error: unknown): error is ServerError {
  return (
    isError(error) &&
    'severity' in error &&
    typeof (error as ServerError).code === 'string' &&
    /^[0-9A-Z]{5}$/.test((error as ServerError).code)
  )
}

/** A standby refuses writes with it, and so does a primary that is about to become a standby. */
export const READ_ONLY_SQL_TRANSACTION = '25006'

/**
 * Returns true when the connection can still be used: the server has refused a statement, and the session
 * continues. A connection to a server that does not write is of no use: another connection may lead
 * elsewhere.
 */
export function connectionSurvives(error: unknown): boolean {
  if (!isServerError(error) || endsSession(error) || error.code === READ_ONLY_SQL_TRANSACTION) return false
  // the severity is translated by lc_messages, so it alone is not enough
  return error.severity !== 'FATAL' && error.severity !== 'PANIC'
}

/**
 * Returns true for connection exceptions (class 08), and for the shutdowns and timeouts that end a session
 * (57P01 to 57P05).
 */
export function endsSession(error: ServerError): boolean {
  return /^(08|57P0[1-5])/.test(error.code) && !refusesValue(error)
}

/**
 * Returns true when a type's input function has refused a value. Its SQLSTATE may be any: 42601 for a
 * tsquery, 3F000 for a regclass, and for a Buffer that is too short 08P01, which poolers send, too. The
 * context distinguishes these: for COPY it begins with the row and the column, for INSERT it is one line that
 * names the parameter; a trigger's context begins with the trigger's function. Timeouts, shutdowns and lack
 * of memory may happen with the same context, so their SQLSTATEs are left out.
 */
export function refusesValue({ code, where = '' }: ServerError): boolean {
  if (code !== '08P01' && /^(08|25|40|53|55|57|58)/.test(code)) return false
  return /^COPY .+, [^ ]+ \d+, [^ ]+ ./.test(where) || (!where.includes('\n') && /\$\d/.test(where))
}

/**
 * Returns the index of the parameter that the server could not read, from 0. The last line of the context is
 * `unnamed portal parameter $2 = '…'` then, in the language of lc_messages. The lines before it are of the
 * type: `JSON data, line 1: {`. An error of a statement that runs may list all parameters, after a colon.
 */
export function refusedParameter({ where = '' }: ServerError): number | undefined {
  const match = /(?:^|\n)[^$:：'\n]*\$(\d+)(?: = '(?:[^']|'')*')?$/.exec(where)
  return match ? Number(match[1]) - 1 : undefined
}

/** The functions by which PL/pgSQL, PL/Python and PL/Tcl report what their code raises. */
const RAISING_ROUTINES = ['exec_stmt_raise', 'PLy_elog_impl', 'PLy_output', 'throw_tcl_error']

/** Returns true for an error that a function in the database has raised, with an SQLSTATE of its choice. */
export function isRaised({ routine = '' }: ServerError): boolean {
  return RAISING_ROUTINES.includes(routine)
}

/** Returns the column that an error names. A raised error may name anything there, such as a row's value. */
export function columnOf(error: ServerError): string | undefined {
  return isRaised(error) ? undefined : error.column
}

/**
 * Returns true when an error happened while the server worked on a row: its context names a line of COPY, a
 * parameter or a function, or an INSERT failed while it ran. A parser's error has a position instead. Either
 * the row's value has caused it (a trigger's EXECUTE, a CHECK function, a cast to regclass), or a function
 * that fails for every row.
 */
export function shownAtRow(error: ServerError): boolean {
  const { code, where, position, routine } = error
  if (/^(08|25|28|40|53|55P|57|58|XX00[12])/.test(code)) return false
  if (where) return true
  const ran = position === undefined && routine !== undefined && !statementErrors.has(error)
  const mayBeRow = /^(42|3F)/.test(code) || (code === 'XX000' && HSTORE_INPUT.includes(routine ?? ''))
  // these come from the planner and the privilege checks, which set no position
  return ran && mayBeRow && !/^(42501|42P10|428C9|42809)$/.test(code)
}

/** The functions that refuse a text for hstore, with XX000 before PostgreSQL 16. */
const HSTORE_INPUT = ['parse_hstore', 'get_val']

const statementErrors = new WeakSet<Error>()

/**
 * Notes that the server has refused a statement of ours itself, in which no row had a part: a COPY before its
 * first row. Such an error has no position.
 */
export function noteStatementError(error: Error): void {
  statementErrors.add(error)
}

/** Where in its data a COPY failed. */
export interface CopyContext {
  /** From 1. It counts rows in both formats, because line ends within values are escaped. */
  line: number
  column?: string
}

/**
 * Reads `COPY orders, line 2, column price: "x"` from an error's context. lc_messages translates its words;
 * the names of the table and the columns, which may contain commas and colons, are known.
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
