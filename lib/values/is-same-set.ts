/** Returns true when two lists hold the same names, in any order. Neither list may repeat a name. */
export function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every(name => b.includes(name))
}
