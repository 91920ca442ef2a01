import type { SessionAttrs } from '../../connection-string/connection-parameters.ts'
import type { PgClientLike } from '../pg-types.ts'
import { queryText } from '../query-text.ts'

/** A server that answers, but does not match `target_session_attrs`: another one may, or this one later. */
export class UnsuitableServer extends Error {
  override readonly name = 'UnsuitableServer'
}

/**
 * Checks a new session. Resolves to what is wrong with it, or to undefined.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS
 */
export async function sessionFault(
  client: PgClientLike,
  wanted: Exclude<SessionAttrs, 'prefer-standby'>,
): Promise<string | undefined> {
  if (wanted === 'any') return undefined
  const { rows } = await queryText(
    client,
    `SELECT pg_catalog.pg_is_in_recovery()::text AS standby,
      pg_catalog.current_setting('default_transaction_read_only') AS read_only`,
  )
  const standby = /^t/.test(String(rows[0]?.standby))
  const readOnly = standby || rows[0]?.read_only === 'on'
  if (wanted === 'read-write') return readOnly ? 'the session is read-only' : undefined
  if (wanted === 'read-only') return readOnly ? undefined : 'the session is not read-only'
  if (wanted === 'primary') return standby ? 'the server is a standby' : undefined
  return standby ? undefined : 'the server is not a standby'
}
