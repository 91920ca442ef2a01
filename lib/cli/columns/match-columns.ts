import { delimiterName, delimiterWord } from '../../sources/csv/dialect.ts'
import { didYouMean } from '../../values/names/did-you-mean.ts'
import { listColumns } from '../../values/names/list-names.ts'
import { dataError } from '../exit-error.ts'

/** How the keys of the rows map to columns. */
export interface Matching {
  /** The column of each key. Other keys have no column. */
  readonly columns: ReadonlyMap<string, string>
  /** Keys whose column has another spelling. They are reported to the user. */
  readonly guessed: readonly (readonly [key: string, column: string])[]
}

/**
 * Matches keys with columns: by `map`, else by the same name, else by the only name that differs in case,
 * spaces and punctuation alone.
 */
export function matchColumns(
  keys: readonly string[],
  known: readonly string[],
  map: ReadonlyMap<string, string>,
  where: string,
): Matching {
  const columns = new Map<string, string>()
  const all = new Set(keys)
  const names = new Set(known)
  for (const [key, column] of map) if (all.has(key)) columns.set(key, column)
  for (const key of keys) if (!columns.has(key) && names.has(key)) columns.set(key, key)
  const taken = new Set(columns.values())
  const byPlain = new Map<string, string[]>()
  for (const column of known) {
    if (taken.has(column)) continue
    const key = plainName(column)
    byPlain.set(key, [...(byPlain.get(key) ?? []), column])
  }
  const guessed = keys
    .filter(key => !columns.has(key))
    .flatMap(key => {
      const candidates = byPlain.get(plainName(key)) ?? []
      if (candidates.length > 1) throw ambiguous(where, `"${key}" could be the column`, candidates)
      return candidates.map(column => [key, column] as const)
    })
  for (const [key, column] of guessed) columns.set(key, column)
  checkUnique(columns, where)
  return { columns, guessed }
}

function checkUnique(columns: ReadonlyMap<string, string>, where: string): void {
  const keyOf = new Map<string, string>()
  for (const [key, column] of columns) {
    const other = keyOf.get(column)
    if (other !== undefined) throw ambiguous(where, `column "${column}" could be`, [other, key])
    keyOf.set(column, key)
  }
}

/** Returns the error for a name that could be another. */
export function ambiguous(where: string, what: string, names: readonly string[]) {
  const choice = names.map(name => `"${name}"`).join(' or ')
  return dataError(`${where}: ${what} ${choice}; say which, with --map "NAME=column"`)
}

/** Checks that the header has every name of --map. */
export function checkMap(
  map: ReadonlyMap<string, string>,
  header: readonly string[] | undefined,
  where: string,
): void {
  for (const key of map.keys()) {
    if (!header || header.includes(key)) continue
    const has = `whose header has: ${listColumns(header)}`
    throw dataError(`--map names "${key}", which is not in ${where}, ${has}${didYouMean(key, header)}`)
  }
}

/** Returns a name without case, spaces and punctuation. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[\s\p{P}\p{S}]+/gu, '')
}

/**
 * Returns what to do about a header that is one name, `id;name`, where columns have the parts of it: another
 * delimiter is meant. Returns undefined for another header.
 */
export function otherDelimiter(header: readonly string[], known: readonly string[]): string | undefined {
  const [name = ''] = header
  if (header.length !== 1) return undefined
  const columns = new Set(known.map(plainName))
  const between = new Set(name.match(/[^\p{L}\p{N}_"']+/gu))
  const delimiter = [...between].find(text => {
    const parts = name.split(text)
    return parts.filter(part => columns.has(plainName(part))).length * 2 > parts.length
  })
  if (delimiter === undefined) return undefined
  return `it seems to have ${delimiterName(delimiter)} between names: --delimiter ${delimiterWord(delimiter)}`
}
