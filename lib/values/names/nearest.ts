import { editDistance } from './edit-distance.ts'

/** Names of PostgreSQL (63 bytes) and of options are shorter. */
const LONGEST = 200

/**
 * Returns the words that take the fewest edits, at most three; none if more than a third of `word` would
 * change.
 */
export function nearest(word: string, known: readonly string[]): string[] {
  const maxEdits = Math.max(1, word.length / 3)
  // the distance takes time for long texts, and no known name is that long
  if (word.length > LONGEST) return []
  const meant = plain(word)
  const distances = known.map(candidate => {
    if (candidate.length > LONGEST) return Number.POSITIVE_INFINITY
    const other = plain(candidate)
    // the difference of the lengths is the least number of edits
    const isFar = Math.abs(other.length - meant.length) > maxEdits
    return isFar ? Number.POSITIVE_INFINITY : editDistance(meant, other)
  })
  const least = distances.reduce((least, distance) => Math.min(least, distance), Number.POSITIVE_INFINITY)
  const few = least <= maxEdits && least < word.length
  return few ? known.filter((_, index) => distances[index] === least).slice(0, 3) : []
}

/** Ignores case, spaces and punctuation, so that `Order Id` matches `order_id`. */
function plain(word: string): string {
  return word.toLowerCase().replace(/[\s_.-]+/g, '_')
}
