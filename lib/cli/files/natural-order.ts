/** Compares names so that the numbers in them count by their value: `part-2` is before `part-10`. */
export function naturalOrder(a: string, b: string): number {
  const [ours, theirs] = [partsOf(a), partsOf(b)]
  for (const [index, part] of ours.entries()) {
    const other = theirs[index]
    if (other === undefined) return 1
    const order = isNumber(part) && isNumber(other) ? byValue(part, other) : byText(part, other)
    if (order !== 0) return order
  }
  return ours.length - theirs.length || byText(a, b)
}

/** Returns the stretches of digits, and what is between them. */
function partsOf(name: string): string[] {
  return name.match(/\d+|\D+/g) ?? []
}

function isNumber(part: string): boolean {
  return /^\d/.test(part)
}

function byValue(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
  return x.length - y.length || byText(x, y)
}

/** The order does not depend on the user's language, so that each run reads the files in the same order. */
function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
