/** The words that were probably meant: those that take the fewest edits; none when nothing comes close. */
export function nearest(word: string, known: readonly string[]): string[] {
  const distances = known.map(candidate => editDistance(plain(word), plain(candidate)))
  const least = Math.min(...distances)
  const few = least <= Math.max(2, word.length / 3) && least < word.length
  return few ? known.filter((_, index) => distances[index] === least).slice(0, 3) : []
}

/** `; did you mean "a" or "b"?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known).map(candidate => `"${candidate}"`)
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`
}

/** Case, spaces and punctuation are what people get wrong: `Order Id` is as good as `order_id` here. */
function plain(word: string): string {
  return word.toLowerCase().replace(/[\s_.-]+/g, '_')
}

/** Levenshtein's distance, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
