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
}

/** Tells the server's own words from those of sockets and drivers. */
export function isServerError(error: unknown): error is ServerError {
  return (
    error instanceof Error &&
    'severity' in error &&
    typeof (error as ServerError).code === 'string' &&
    /^[0-9A-Z]{5}$/.test((error as ServerError).code)
  )
}

/** True when the connection can still be used: the server refused a statement and went on. */
export function connectionSurvives(error: unknown): boolean {
  return isServerError(error) && error.severity !== 'FATAL' && error.severity !== 'PANIC'
}

/** Where in its data a COPY failed. */
export interface CopyContext {
  /** From 1; in binary as in text it counts rows, since line ends within values are escaped. */
  line: number
  column?: string
}

/**
 * Reads `COPY orders, line 2, column price: "x"` out of an error's context. The words are translated by
 * lc_messages, so only the shape is matched; `line 2` may be followed by the column, and by the value.
 */
export function copyContext(error: ServerError): CopyContext | undefined {
  const match = /^COPY [^,]+, [^ ]+ (\d+)(?:, [^ ]+ ([^:]+))?/m.exec(error.where ?? '')
  if (!match) return undefined
  const column = match[2]
  return { line: Number(match[1]), ...(column === undefined ? {} : { column }) }
}
