import { editDistance } from './edit-distance.ts'

/** Longer than the names of PostgreSQL (63 bytes), and than those of options. */
const LONGEST = 200

/** The words that were probably meant: those that take the fewest edits; none when more than a third would change. */
export function nearest(word: string, known: readonly string[]): string[] {
  const most = Math.max(1, word.length / 3)
  // no name that is meant is as long, and the distance to one of megabytes takes its time
  if (word.length > LONGEST) return []
  const meant = plain(word)
  const distances = known.map(candidate => {
    if (candidate.length > LONGEST) return Number.POSITIVE_INFINITY
    const other = plain(candidate)
    // it takes at least as many edits as one is longer than the other
    const isFar = Math.abs(other.length - meant.length) > most
    return isFar ? Number.POSITIVE_INFINITY : editDistance(meant, other)
  })
  const least = Math.min(...distances)
  const few = least <= most && least < word.length
  return few ? known.filter((_, index) => distances[index] === least).slice(0, 3) : []
}

/** Case, spaces and punctuation are what people get wrong: `Order Id` is as good as `order_id` here. */
function plain(word: string): string {
  return word.toLowerCase().replace(/[\s_.-]+/g, '_')
}
