/** The first name that stands a second time; undefined when each is the only one. */
export function firstRepeated(names: Iterable<string>): string | undefined {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}
