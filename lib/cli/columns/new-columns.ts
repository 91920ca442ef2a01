import type { Readable } from 'node:stream'
import type { Sources } from '../../sources/open-sources.ts'
import { type SourceRow, setOwn } from '../../sources/rows.ts'
import { streamOf } from '../../sources/source.ts'
import { type AddedColumn, whyNoNewColumn } from '../../table/alter-table.ts'
import type { Table } from '../../types.ts'
import { plural } from '../../values/format-count.ts'
import type { InferredType } from '../../values/infer-type.ts'
import { listColumns } from '../../values/names/list-names.ts'
import type { LoadArguments } from '../arguments/arguments.ts'
import { dataError } from '../exit-error.ts'
import { type ColumnChecks, checkOfType } from './create-table.ts'
import { checkMap, matchColumns } from './match-columns.ts'
import { KeyMatches } from './match-keys.ts'
import { sampleColumns, valueKindOf } from './sample-columns.ts'

/** What --evolve adds to a table before rows are written. */
export interface NewColumns {
  readonly added: readonly AddedColumn[]
  /** The rows from the first on. For CSV and NDJSON these are arrays of records or lines. */
  readonly rows: Readable
  /** The checks of the new columns' values, if not all rows were looked at. */
  readonly checks: ColumnChecks | undefined
  /** The columns that `checks` checks, with their inferred types. */
  readonly inferred: readonly AddedColumn[]
}

/** How many columns --evolve adds, unless --max-new-columns says otherwise. */
export const MAX_NEW_COLUMNS = 20

/**
 * Plans columns for the names in a file that the table lacks: those of the header, or of the first JSON rows.
 * Nothing is written yet. A name in JSON that cannot be a column is left to the row that has it.
 * @param unwrap returns the row that a line holds
 * @throws ExitError for a header with a name that cannot be a column, or with too many new names
 */
export async function planNewColumns(
  source: Sources,
  reopen: () => Promise<Sources>,
  table: Table,
  args: LoadArguments,
  unwrap: (line: SourceRow) => SourceRow,
): Promise<NewColumns> {
  const none = { added: [], rows: streamOf(source), checks: undefined, inferred: [] }
  if (!source.header) {
    // rows of a pipe that is still written do not wait for others: the writer adds columns as they come
    if (!source.live || args.dryRun) return inRows(source, reopen, table, args, unwrap)
    return { ...none, added: withTyped([], source, table, args) }
  }
  const news = newInHeader(source, table, args)
  if (news.size === 0) return none
  const names = [...news.values()]
  checkTypes(names, table, args)
  checkNames(names, source, table, args)
  const described = source.columns
  if (described) {
    const typeOf = new Map(described.map(({ name, type }) => [name, type]))
    return { ...none, added: [...news].map(([key, name]) => typed(name, typeOf.get(key)!, args)) }
  }
  const keep = (row: SourceRow) => renamed(row, [...news])
  const { columns, rows, checks } = await sampleColumns(source, reopen, { names, keep, args })
  const added = columns.map(({ name, type }) => typed(name, type, args))
  return { added, rows, ...checked(added, checks, args) }
}

/** Returns the checks of the inferred columns among these. */
function checked(
  added: readonly AddedColumn[],
  checks: ColumnChecks | undefined,
  { type = new Map() }: LoadArguments,
): Pick<NewColumns, 'checks' | 'inferred'> {
  const inferred = checks ? added.filter(({ name }) => !type.has(name)) : []
  return { checks: checks && only(inferred, checks), inferred }
}

/**
 * Returns the checks of columns that an earlier run of a load has added, beside those of this run. Without
 * them the same row would be refused by one run, and stored with another value by the next.
 */
export function checksOfRuns(
  earlier: readonly AddedColumn[],
  { checks }: Partial<NewColumns>,
  source: Sources,
  args: LoadArguments,
): ColumnChecks | undefined {
  if (earlier.length === 0) return checks
  const inference = { kind: valueKindOf(source, args), sampled: 'the first rows', evolves: true }
  const before = new Map(
    earlier.map(({ name, type }) => [name, checkOfType(name, type as InferredType, inference)]),
  )
  return name => checks?.(name) ?? before.get(name)
}

/** Returns the column of each name in the header that the table lacks. */
function newInHeader(
  { header = [], unnamed = [], name }: Sources,
  table: Table,
  { map = new Map() }: LoadArguments,
): Map<string, string> {
  checkMap(map, header, name)
  const known = table.columns.map(column => column.name)
  const named = header.filter(key => !unnamed.includes(key) || map.has(key))
  const { columns } = matchColumns(named, known, map, name)
  return new Map(
    named.flatMap(key => {
      const column = columns.get(key) ?? key
      return known.includes(column) ? [] : [[key, column] as const]
    }),
  )
}

function checkTypes(names: readonly string[], table: Table, { type = new Map() }: LoadArguments): void {
  const typed = [...type.keys()].find(name => !names.includes(name))
  if (typed === undefined) return
  throw dataError(`--type names "${typed}"; the new columns of ${table.name} are: ${listColumns(names)}`)
}

function checkNames(
  names: readonly string[],
  source: Sources,
  table: Table,
  { maxNewColumns = MAX_NEW_COLUMNS }: LoadArguments,
): void {
  const taken = [...table.columns.map(({ name }) => ({ name }))]
  for (const name of names) {
    const why = whyNoNewColumn(name, taken)
    if (why) {
      const hint = 'give another with --map'
      throw dataError(`${source.name}: "${name}" cannot be a column of ${table.name}: ${why}; ${hint}`)
    }
    taken.push({ name })
  }
  if (names.length <= maxNewColumns) return
  const has = `${source.name}: ${table.name} lacks ${plural(names.length, 'column')}: ${listColumns(names)}`
  throw dataError(`${has}; --evolve adds up to ${maxNewColumns}, see --max-new-columns`)
}

async function inRows(
  source: Sources,
  reopen: () => Promise<Sources>,
  table: Table,
  args: LoadArguments,
  unwrap: (line: SourceRow) => SourceRow,
): Promise<NewColumns> {
  const { map = new Map(), maxNewColumns = MAX_NEW_COLUMNS } = args
  const known = table.columns.map(({ name }) => name)
  const { rename } = new KeyMatches(known, map, source.name)
  const keep = (line: SourceRow): SourceRow => {
    const row = rename(unwrap(line))
    // null needs no column
    const news = Object.keys(row).filter(name => !known.includes(name) && (row[name] ?? null) !== null)
    return renamed(
      row,
      news.map(name => [name, name]),
    )
  }
  const { columns, rows, checks } = await sampleColumns(source, reopen, { keep, args })
  const taken = table.columns.map(({ name }) => ({ name }))
  const fitting = columns.filter(({ name }) => {
    if (whyNoNewColumn(name, taken) !== undefined) return false
    taken.push({ name })
    return true
  })
  // with too many, the writer decides row by row
  const inferred =
    fitting.length > maxNewColumns ? [] : fitting.map(({ name, type }) => typed(name, type, args))
  return { added: withTyped(inferred, source, table, args), rows, ...checked(inferred, checks, args) }
}

/**
 * Adds the columns of --type that the table lacks to the inferred ones. They are added before the first row:
 * the writer infers the type of a key that comes later.
 */
function withTyped(
  inferred: readonly AddedColumn[],
  source: Sources,
  table: Table,
  args: LoadArguments,
): AddedColumn[] {
  const known = new Set([...table.columns, ...inferred].map(({ name }) => name))
  const named = [...(args.type ?? [])].filter(([name]) => !known.has(name))
  if (named.length === 0) return [...inferred]
  const added = [...inferred, ...named.map(([name, type]) => ({ name, type }))]
  const names = added.map(({ name }) => name)
  checkNames(names, source, table, args)
  return added
}

function typed(name: string, type: string, args: LoadArguments): AddedColumn {
  return { name, type: args.type?.get(name) ?? type }
}

function renamed(row: SourceRow, pairs: readonly (readonly [key: string, name: string])[]): SourceRow {
  const out: SourceRow = {}
  for (const [key, name] of pairs) setOwn(out, name, row[key])
  return out
}

function only(columns: readonly AddedColumn[], checks: ColumnChecks): ColumnChecks {
  const names = new Set(columns.map(({ name }) => name))
  return name => (names.has(name) ? checks(name) : undefined)
}
