import { isServerError } from '../../connection/server-error.ts'
import type { PgBatchError } from '../../errors.ts'

/** How the detail of a foreign key's refusal names the table whose rows refer to what is deleted. */
const REFERRED = /is (?:still )?referenced from table "(.+)"\.$/s

/**
 * Returns what to do about a refusal of `--replace` that names no row, because it came when all rows were
 * staged. Undefined where `--rejects` would find the row: it lets the staging table judge what NOT NULL,
 * CHECK and foreign keys say.
 */
export function replaceHint({ cause, sqlState, constraint, rowIndex }: PgBatchError): string | undefined {
  if (rowIndex !== undefined || sqlState === undefined) return undefined
  const [, child] = REFERRED.exec((isServerError(cause) && cause.detail) || '') ?? []
  if (child !== undefined) return `; rows of "${child}" refer to rows that the new data lacks`
  // a partition's bounds have no constraint
  const isJudged = sqlState === '23502' || sqlState === '23503' || (sqlState === '23514' && constraint)
  return isJudged ? undefined : ''
}
