import type { Dialect } from '../dialect.ts'

type Marks = Pick<Dialect, 'delimiter' | 'quote' | 'escape'>

/** A way to cut the rest of a line. */
interface Way {
  /** How far it departs from what CSV is. */
  readonly cost: number
  /** Another way costs the same. */
  readonly isTie: boolean
  /** The field, as well-formed CSV, and the way of the fields after it. */
  readonly field: string
  readonly next: Way | undefined
}

/** A longer line is not repaired: the ways to cut it are many. */
const MAX_LENGTH = 10_000

/** A quote inside a quoted field; a first quote that is text; a quoted field with a quote and a delimiter. */
const [INNER, LITERAL, DOUBTFUL] = [1, 2, 3]

/**
 * Cuts a malformed line into fields, in the only way that departs least from CSV: a quoted field may have
 * quotes that are not doubled, and a field may begin with a quote that is text. Returns it as a well-formed
 * line, or undefined if there is no such way, or more than one.
 * @param width the number of fields; undefined: any
 */
export function recutLine(line: string, marks: Marks, width: number | undefined): string | undefined {
  const { delimiter, quote } = marks
  if (quote === undefined || line.length > MAX_LENGTH) return undefined
  const known = new Map<string, Way | undefined>()

  function bestWay(at: number, left: number | undefined): Way | undefined {
    if (left === 0) return undefined
    const key = `${at} ${left}`
    if (known.has(key)) return known.get(key)
    let best: Way | undefined
    for (const [field, end, cost] of fieldsAt(line, at, marks)) {
      const isLast = end === line.length
      if (isLast && left !== undefined && left > 1) continue
      const next = isLast
        ? undefined
        : bestWay(end + delimiter.length, left === undefined ? undefined : left - 1)
      if (!isLast && !next) continue
      const total = cost + (next?.cost ?? 0)
      const isTie = next?.isTie ?? false
      if (!best || total < best.cost) best = { cost: total, isTie, field, next }
      else if (total === best.cost) best = { ...best, isTie: true }
    }
    known.set(key, best)
    return best
  }

  const way = bestWay(0, width)
  if (!way || way.isTie) return undefined
  const fields: string[] = []
  for (let each: Way | undefined = way; each; each = each.next) fields.push(each.field)
  return fields.join(delimiter)
}

/** Yields what the field at an index may be, where it ends, and what that costs. */
function* fieldsAt(
  line: string,
  at: number,
  marks: Marks,
): Generator<readonly [field: string, end: number, cost: number]> {
  const { delimiter, quote, escape: escapeBy } = marks
  const found = line.indexOf(delimiter, at)
  const plainEnd = found < 0 ? line.length : found
  const plain = line.slice(at, plainEnd)
  if (!line.startsWith(quote!, at)) {
    if (plain.trimStart().startsWith(quote!)) return // the blanks or the quotes may be wrong
    yield plain.includes(quote!) ? [quoted(plain, marks), plainEnd, INNER] : [plain, plainEnd, 0]
    return
  }
  let isWellFormed = true
  for (let i = at + 1; i < line.length; i++) {
    const isEscape =
      isWellFormed && line[i] === escapeBy && (line[i + 1] === quote || line[i + 1] === escapeBy)
    if (isEscape) {
      i++
      continue
    }
    if (line[i] !== quote) continue
    const end = i + 1
    if (end === line.length || line.startsWith(delimiter, end)) {
      if (isWellFormed) {
        yield [line.slice(at, end), end, 0]
        return // well-formed CSV
      }
      const text = line.slice(at + 1, i)
      yield [quoted(text, marks), end, text.includes(delimiter) ? DOUBTFUL : INNER]
    }
    isWellFormed = false
  }
  if (!plain.includes(quote!, 1)) yield [quoted(plain, marks), plainEnd, LITERAL]
}

/** Returns the text of a field as a quoted field. In the line, some of its quotes may be escaped. */
function quoted(text: string, { quote, escape: escapeBy }: Marks): string {
  const plain = text.replaceAll(`${escapeBy}${quote}`, quote!)
  const characters = [...plain].map(each =>
    each === quote || each === escapeBy ? `${escapeBy}${each}` : each,
  )
  return `${quote}${characters.join('')}${quote}`
}
