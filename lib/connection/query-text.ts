import type { PgClientLike, PgResultLike } from './pg-types.ts'

/** Leaves each value as the text that the server has sent. */
const AS_TEXT = { getTypeParser: () => String }

/**
 * Runs a statement of ours so that no type parser of the program changes its results: ORMs replace pg's
 * parsers for the whole process. Such statements select only `::text`, for clients whose parsers cannot be
 * chosen.
 */
export function queryText(client: PgClientLike, text: string, values?: unknown[]): Promise<PgResultLike> {
  // only pg's own clients are known to take parsers with a statement
  if (!('getTypeParser' in client)) return client.query(text, values)
  const query = client.query as unknown as (config: object) => Promise<PgResultLike>
  return query.call(client, { text, values, types: AS_TEXT })
}

/** Returns the results of all statements: pg answers several statements with an array. */
export function allResults(answer: PgResultLike | readonly PgResultLike[]): readonly PgResultLike[] {
  return Array.isArray(answer) ? answer : [answer as PgResultLike]
}

/** Returns the result of the last statement. */
export function lastResult(answer: PgResultLike | readonly PgResultLike[]): PgResultLike {
  return allResults(answer).at(-1)!
}
