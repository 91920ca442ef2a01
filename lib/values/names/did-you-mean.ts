import { nearest } from './nearest.ts'

/** Returns `; did you mean "a" or "b"?` for the words nearest to `word`, or an empty string. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known).map(candidate => `"${candidate}"`)
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`
}
