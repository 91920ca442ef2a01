import type { PgClientLike, PgResultLike } from './pg-types.ts'

/** Takes each value as the text that the server sent. */
const AS_TEXT = { getTypeParser: () => String }

/**
 * Runs a statement of ours, whose results no type parser of the program changes: ORMs replace pg's parsers, for the
 * whole process. Such statements select `::text` only, for clients that do not let the parsers be chosen.
 */
export function queryText(client: PgClientLike, text: string, values?: unknown[]): Promise<PgResultLike> {
  // only pg's own clients are known to take the parsers with the statement
  if (!('getTypeParser' in client)) return client.query(text, values)
  const query = client.query as unknown as (config: object) => Promise<PgResultLike>
  return query.call(client, { text, values, types: AS_TEXT })
}
