import { formatCount } from '../format-count.ts'

/** Returns names for a message: `a, b and 1,200 more`. At most `most` of them are named. */
export function listNames(names: readonly string[], most = 10): string {
  const more = names.length - most
  const named = names.slice(0, most).join(', ')
  return more > 0 ? `${named} and ${formatCount(more)} more` : named
}

/** Returns the columns of a table, or the names of a header, for a message. */
export function listColumns(names: readonly string[]): string {
  return listNames(names, 30)
}
