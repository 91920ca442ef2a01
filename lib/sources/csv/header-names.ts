/** PostgreSQL cuts off longer names. */
const MAX_BYTES = 63

/** The names of a header, fit to be columns, and what was changed, in words. */
export interface HeaderNames {
  readonly names: readonly string[]
  readonly changes: readonly string[]
}

/**
 * Makes column names of a header: an empty name becomes `column_5`, a repeated one `name_2`, and one of more
 * than 63 bytes is shortened. No name that the header has is given to another column.
 */
export function columnNames(header: readonly string[]): HeaderNames {
  const first = new Map<string, number>()
  for (const [index, name] of header.entries()) if (!first.has(name)) first.set(name, index)
  const isKept = (name: string, index: number) =>
    name.trim() !== '' && first.get(name) === index && Buffer.byteLength(name) <= MAX_BYTES
  const taken = new Set(header.filter(isKept))
  const changes: string[] = []
  const names = header.map((name, index) => {
    if (isKept(name, index)) return name
    const isEmpty = name.trim() === ''
    const fresh = unusedName(
      isEmpty ? columnName(index) : name,
      taken,
      isEmpty ? 1 : timesBefore(header, index),
    )
    taken.add(fresh)
    changes.push(describe(name, index, fresh))
    return fresh
  })
  return { names, changes }
}

/** Returns the name of a column that the file gives none. */
export function columnName(index: number): string {
  return `column_${index + 1}`
}

/** Returns the name, or the first of `name_2`, `name_3` … that is not taken, in at most 63 bytes. */
function unusedName(name: string, taken: ReadonlySet<string>, from: number): string {
  for (let number = from; ; number++) {
    const end = number === 1 ? '' : `_${number}`
    const fresh = `${shortened(name, MAX_BYTES - end.length)}${end}`
    if (!taken.has(fresh)) return fresh
  }
}

/** Returns which one of the columns of this name it is, from 1. */
function timesBefore(header: readonly string[], index: number): number {
  return header.slice(0, index + 1).filter(name => name === header[index]).length
}

/** Returns the beginning of a text that has at most so many bytes, without half of a character. */
function shortened(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    used += Buffer.byteLength(character)
    if (used > bytes) break
    kept += character
  }
  return kept
}

function describe(name: string, index: number, fresh: string): string {
  if (name.trim() === '') return `column ${index + 1} has no name and is called "${fresh}"`
  if (Buffer.byteLength(name) > MAX_BYTES)
    return `the name of column ${index + 1} is too long and becomes "${fresh}"`
  return `column ${index + 1} is another "${name}" and is called "${fresh}"`
}
