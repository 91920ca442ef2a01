import { editDistance } from './edit-distance.ts'

/** The words that were probably meant: those that take the fewest edits; none when more than a third would change. */
export function nearest(word: string, known: readonly string[]): string[] {
  const distances = known.map(candidate => editDistance(plain(word), plain(candidate)))
  const least = Math.min(...distances)
  const few = least <= Math.max(1, word.length / 3) && least < word.length
  return few ? known.filter((_, index) => distances[index] === least).slice(0, 3) : []
}

/** Case, spaces and punctuation are what people get wrong: `Order Id` is as good as `order_id` here. */
function plain(word: string): string {
  return word.toLowerCase().replace(/[\s_.-]+/g, '_')
}
