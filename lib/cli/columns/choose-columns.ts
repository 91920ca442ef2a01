import type { Source } from '../../sources/open-source.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { shellWord } from '../../sources/shell-word.ts'
import { generatedBy, isInsertable } from '../../table/insertable.ts'
import type { Column } from '../../types.ts'
import { plural } from '../../values/format-count.ts'
import { didYouMean } from '../../values/names/did-you-mean.ts'
import { listColumns, listNames } from '../../values/names/list-names.ts'
import { nearest } from '../../values/names/nearest.ts'
import { nameListWord } from '../arguments/option-values.ts'
import { dataError, type ExitError } from '../exit-error.ts'
import { checkMap, matchColumns, otherDelimiter } from './match-columns.ts'
import { KeyMatches } from './match-keys.ts'

/** Which columns are written, and from which keys of the rows. */
export interface ColumnChoice {
  /** Undefined if each row names its own columns. */
  readonly columns: readonly string[] | undefined
  /** Renames the keys of a row to columns. Undefined if they are the same. */
  readonly rename?: ((row: SourceRow) => SourceRow) | undefined
  /** Key and column, as far as they are known. For JSON, those that differ. */
  readonly pairs: readonly (readonly [key: string, column: string])[]
  readonly notes: readonly string[]
  /** Matches the keys of each row, if they are not known before. */
  readonly matches?: KeyMatches
}

export interface ColumnOptions {
  /** `--columns`. */
  readonly columns?: readonly string[] | undefined
  /** `--map`: the column of each key. */
  readonly map?: ReadonlyMap<string, string> | undefined
}

/** In --columns: a field that is not loaded, of a file without a header. */
export const SKIPPED = '-'

const NO_ORDER =
  'a - in --columns skips a field of a file without a header (--no-header); ' +
  'leave out names that the header has'

interface Target {
  readonly name: string
  readonly columns: readonly Pick<Column, 'name' | 'generated' | 'identity'>[]
}

/** Returns the columns to write: those of --columns, else those of the header, else each row's own. */
export function chooseColumns(source: Source, table: Target, options: ColumnOptions): ColumnChoice {
  const { columns: wanted, map = new Map() } = options
  const known = table.columns.map(column => column.name)
  const isSkipping = wanted?.includes(SKIPPED) && !known.includes(SKIPPED)
  if (isSkipping && !source.headless) throw dataError(NO_ORDER)
  if (isSkipping && wanted!.every(name => name === SKIPPED)) throw dataError('--columns skips every field')
  for (const name of wanted ?? []) {
    if (isSkipping && name === SKIPPED) continue
    if (!known.includes(name) && map.has(name)) throw nameInFile(name, wanted!, map, table.name)
    checkKnown(name, '--columns names', known, table.name)
    checkWritable(name, `--columns names "${name}"`, table, 'leave it out')
  }
  checkDirection(map, source, known)
  for (const name of map.values()) checkKnown(name, '--map names', known, table.name)
  checkMap(map, source.header, source.name)
  if (source.headless) return byOrder(source, table, wanted)
  return source.header ? byHeader(source, table, known, options) : byRow(source, known, options)
}

/** Returns the error for a name of the file in `--columns`, which `--map` takes to a column. */
function nameInFile(
  name: string,
  wanted: readonly string[],
  map: ReadonlyMap<string, string>,
  table: string,
): ExitError {
  const meant = nameListWord(wanted.map(each => map.get(each) ?? each))
  const fault = `--columns names columns of ${table}, and "${name}" is a name in the file`
  return dataError(`${fault}, which --map takes to "${map.get(name)}"; say --columns ${meant}`)
}

/** Throws for `--map column=name`, the two in the wrong order. */
function checkDirection(
  map: ReadonlyMap<string, string>,
  { header }: Source,
  known: readonly string[],
): void {
  for (const [name, column] of map) {
    const isReversed = !known.includes(column) && known.includes(name) && header?.includes(column)
    if (!isReversed) continue
    const [given, meant] = [`${name}=${column}`, `${column}=${name}`].map(pair => `--map ${shellWord(pair)}`)
    throw dataError(`${given}: the name in the file comes first; say ${meant}`)
  }
}

function byHeader(
  source: Source,
  table: Target,
  known: readonly string[],
  options: ColumnOptions,
): ColumnChoice {
  const { columns: wanted, map = new Map() } = options
  const header = source.header!
  const { unnamed = [] } = source
  const nameless = new Set(unnamed)
  const named = header.filter(name => !nameless.has(name) || map.has(name))
  const { columns, guessed } = matchColumns(named, wanted ?? known, map, source.name)
  if (!wanted) checkHeader(source, table, columns)
  const found = new Set(columns.values())
  const lacking = wanted?.find(name => !found.has(name))
  if (lacking !== undefined) {
    const has = `whose header has: ${listColumns(header)}`
    throw dataError(
      `--columns names "${lacking}", which is not in ${source.name}, ${has}${didYouMean(lacking, header)}`,
    )
  }
  const asked = wanted && new Set(wanted)
  const pairs = [...columns].filter(([, column]) => asked?.has(column) ?? true)
  return {
    columns: wanted ?? header.map(name => columns.get(name)!),
    // a rejected row keeps only these columns, so that it can be loaded again as it is
    rename:
      pairs.length === header.length && pairs.every(([key, column]) => key === column)
        ? undefined
        : row => renamed(row, pairs),
    pairs,
    notes: matchedNote(source.name, guessed),
  }
}

/** Checks that each column of the file is a column of the table that can be written. */
function checkHeader(
  { name: file, header = [], unnamed = [] }: Source,
  table: Target,
  columns: ReadonlyMap<string, string>,
): void {
  const known = table.columns.map(({ name }) => name)
  const nameless = new Set(unnamed)
  const writable = new Set(table.columns.filter(isInsertable).map(({ name }) => name))
  const others = header.filter(name => columns.has(name) && writable.has(columns.get(name)!))
  const all = others.map(name => columns.get(name)!)
  const named = `--columns ${all.length > 30 ? 'A,B,C' : nameListWord(all)}`
  const skip = `name the others with ${named}`
  for (const [index, name] of header.entries()) {
    if (nameless.has(name) && !columns.has(name)) {
      throw dataError(
        `${file}: column ${index + 1} of ${header.length} has no name in the header; to skip it, ${skip}`,
      )
    }
    const column = columns.get(name)
    if (column === undefined) {
      const what = `${file}: the header names "${name}", which is not a column of ${table.name}`
      const delimiter = otherDelimiter(header, known)
      if (delimiter !== undefined) throw dataError(`${what}; ${delimiter}`)
      const hint = unmatchedHint(name, known, others.length === 0 ? undefined : named)
      throw dataError(`${what}; its columns are: ${listColumns(known)}${hint}`)
    }
    if (!writable.has(column)) checkWritable(column, `${file}: the header names "${name}"`, table, skip)
  }
}

/**
 * Returns what to do about a name in the header that is not a column.
 * @param skip the option that leaves the name out
 */
function unmatchedHint(name: string, known: readonly string[], skip: string | undefined): string {
  const near = nearest(name, known)
  const target = near.length === 1 ? near[0]! : 'COLUMN'
  const map = `--map ${shellWord(`${name}=${target}`)} loads it into a column`
  const hint =
    skip === undefined
      ? `--no-header if the first line is data, else ${map}`
      : `${map}, ${skip} leaves it out`
  return `${didYouMean(name, known)}; ${hint}`
}

/** Without a header the fields are the columns in order: those of --columns, or of the table. */
function byOrder(source: Source, table: Target, wanted: readonly string[] | undefined): ColumnChoice {
  const keys = source.header!
  const columns = wanted ?? table.columns.filter(isInsertable).map(({ name }) => name)
  if (columns.length !== keys.length) {
    const whose = wanted ? '--columns names' : `${table.name} has`
    const hint = wanted ? '' : '; name those in the file, in their order, with --columns'
    const who = source.live ? 'its first record has' : 'its records have'
    const fields = `${who} ${plural(keys.length, 'field')}`
    throw dataError(`${source.name}: ${fields}, ${whose} ${plural(columns.length, 'column')}${hint}`)
  }
  const isSkipped = (name: string) =>
    name === SKIPPED && !table.columns.some(column => column.name === SKIPPED)
  const pairs = keys.flatMap((key, index) =>
    isSkipped(columns[index]!) ? [] : [[key, columns[index]!] as const],
  )
  return { columns: pairs.map(([, column]) => column), rename: row => renamed(row, pairs), pairs, notes: [] }
}

/** JSON rows have keys of their own. */
function byRow(
  source: Source,
  known: readonly string[],
  { columns, map = new Map() }: ColumnOptions,
): ColumnChoice {
  const matches = new KeyMatches(columns ?? known, map, source.name)
  return { columns, rename: matches.rename, pairs: matches.pairs, notes: [], matches }
}

/** Returns a row with columns as keys. */
export function renamed(row: SourceRow, pairs: ColumnChoice['pairs']): SourceRow {
  const out: SourceRow = {}
  for (const [key, column] of pairs) out[column] = row[key]
  return out
}

function matchedNote(name: string, guessed: readonly (readonly [string, string])[]): string[] {
  if (guessed.length === 0) return []
  return [`${name}: took ${listNames(guessed.map(([key, column]) => `"${key}" for column "${column}"`))}`]
}

function checkKnown(name: string, who: string, known: readonly string[], table: string): void {
  if (known.includes(name)) return
  const has = `its columns are: ${listColumns(known)}`
  throw dataError(`${who} "${name}", which is not a column of ${table}; ${has}${didYouMean(name, known)}`)
}

function isWritable(name: string, table: Target): boolean {
  return isInsertable(table.columns.find(column => column.name === name)!)
}

function checkWritable(name: string, who: string, table: Target, hint: string): void {
  if (isWritable(name, table)) return
  const column = table.columns.find(column => column.name === name)!
  const keep = column.generated ? '' : "--identity keep writes the file's values, or "
  throw dataError(`${who}, which ${table.name} generates itself (${generatedBy(column)}); ${keep}${hint}`)
}
