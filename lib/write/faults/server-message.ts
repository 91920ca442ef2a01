import type { ServerError } from '../../connection/server-error.ts'
import { REPLACEMENT } from '../../table/replacement-sql.ts'

const STAGED = new RegExp(` (?:for|of) relation "${REPLACEMENT.name}"`)

/** Returns the server's message, without the name of a table that exists only while rows are replaced. */
export function serverMessage({ message }: ServerError): string {
  return message.replace(STAGED, '')
}
