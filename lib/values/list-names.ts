import { formatCount } from './format-count.ts'

/** The names that a message has at most. */
const MAX_NAMED = 10

/** Returns names for a message: `a, b and 1,200 more`. */
export function listNames(names: readonly string[]): string {
  const more = names.length - MAX_NAMED
  const named = names.slice(0, MAX_NAMED).join(', ')
  return more > 0 ? `${named} and ${formatCount(more)} more` : named
}
