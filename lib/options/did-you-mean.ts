import { nearest } from './nearest.ts'

/** `; did you mean "a" or "b"?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known).map(candidate => `"${candidate}"`)
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`
}
