import type { Source } from '../sources/open-source.ts'
import type { SourceRow } from '../sources/rows.ts'
import { didYouMean } from './did-you-mean.ts'
import { dataFailure } from './failure.ts'
import { checkMap, matchColumns } from './match-columns.ts'
import { plural } from './report.ts'

/** Which columns are written, and from which keys of the rows. */
export interface ColumnChoice {
  /** Undefined when each row names its own. */
  readonly columns: readonly string[] | undefined
  /** For the rows of the source; undefined when their keys are the columns. */
  readonly rename?: ((row: SourceRow) => SourceRow) | undefined
  /** Key and column, where they are known before the rows come. */
  readonly pairs: readonly (readonly [key: string, column: string])[]
  readonly notes: readonly string[]
}

export interface ColumnWishes {
  /** `--columns`. */
  readonly columns?: readonly string[] | undefined
  /** `--map`, column by key. */
  readonly map?: ReadonlyMap<string, string> | undefined
}

type Target = { readonly name: string; readonly columns: readonly { name: string; generated: boolean }[] }

/** The columns to write: those asked for, else those of the header; undefined when each row names its own. */
export function chooseColumns(source: Source, table: Target, wishes: ColumnWishes): ColumnChoice {
  const { columns: wanted, map = new Map() } = wishes
  const known = table.columns.map(column => column.name)
  for (const name of wanted ?? []) checkKnown(name, '--columns names', known, table.name)
  for (const name of map.values()) checkKnown(name, '--map names', known, table.name)
  checkMap(map, source.header, source.name)
  if (source.headless) return byOrder(source, table, wanted)
  return source.header ? byHeader(source, table, known, wishes) : byRow(source, wishes)
}

function byHeader(
  source: Source,
  table: Target,
  known: readonly string[],
  wishes: ColumnWishes,
): ColumnChoice {
  const { columns: wanted, map = new Map() } = wishes
  const header = source.header!
  const { columns, guessed } = matchColumns(header, wanted ?? known, map, source.name)
  if (!wanted) {
    for (const name of header) {
      if (!columns.has(name)) checkKnown(name, `${source.name}: the header names`, known, table.name)
    }
  }
  const found = [...columns.values()]
  const lacking = wanted?.find(name => !found.includes(name))
  if (lacking !== undefined) {
    const has = `whose header has: ${header.join(', ')}`
    throw dataFailure(
      `--columns names "${lacking}", not in ${source.name}, ${has}${didYouMean(lacking, header)}`,
    )
  }
  const pairs = [...columns].filter(([, column]) => wanted?.includes(column) ?? true)
  return {
    columns: wanted ?? header.map(name => columns.get(name)!),
    rename: pairs.every(([key, column]) => key === column) ? undefined : row => renamed(row, pairs),
    pairs,
    notes: matchedNote(source.name, guessed),
  }
}

/** Without a header the first field is the first column: of --columns, or of the table. */
function byOrder(source: Source, table: Target, wanted: readonly string[] | undefined): ColumnChoice {
  const keys = source.header!
  const columns = wanted ?? table.columns.filter(({ generated }) => !generated).map(({ name }) => name)
  if (columns.length !== keys.length) {
    const whose = wanted ? '--columns names' : `${table.name} has`
    const hint = wanted ? '' : '; name those in the file, in their order, with --columns'
    throw dataFailure(
      `${source.name}: its records have ${plural(keys.length, 'field')}, ${whose} ${plural(columns.length, 'column')}${hint}`,
    )
  }
  const pairs = keys.map((key, index) => [key, columns[index]!] as const)
  return { columns, rename: row => renamed(row, pairs), pairs, notes: [] }
}

/** JSON rows name their keys one by one, so that only --map can give them other names. */
function byRow(source: Source, { columns, map = new Map() }: ColumnWishes): ColumnChoice {
  const rename = (row: SourceRow): SourceRow => {
    const out: SourceRow = {}
    for (const key in row) {
      const column = map.get(key) ?? key
      if (column in out) throw dataFailure(`${source.name}: a row has two keys for the column "${column}"`)
      out[column] = row[key]
    }
    return out
  }
  return { columns, rename: map.size === 0 ? undefined : rename, pairs: [...map], notes: [] }
}

function renamed(row: SourceRow, pairs: ColumnChoice['pairs']): SourceRow {
  const out: SourceRow = {}
  for (const [key, column] of pairs) out[column] = row[key]
  return out
}

function matchedNote(name: string, guessed: readonly (readonly [string, string])[]): string[] {
  if (guessed.length === 0) return []
  return [`${name}: took ${guessed.map(([key, column]) => `"${key}" for column "${column}"`).join(', ')}`]
}

function checkKnown(name: string, who: string, known: readonly string[], table: string): void {
  if (known.includes(name)) return
  const has = `which has: ${known.join(', ')}`
  throw dataFailure(`${who} "${name}", no column of ${table}, ${has}${didYouMean(name, known)}`)
}
