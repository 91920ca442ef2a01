import { Readable } from 'node:stream'
import type { Block } from '../columnar/block.ts'
import type { RecordTable } from '../csv/record-table.ts'
import type { LineTable } from '../json/line-table.ts'
import { formatCount } from '../values/format-count.ts'
import { listNames } from '../values/names/list-names.ts'
import { rowsOf } from './csv/record-rows.ts'
import { formatOfName } from './format.ts'
import { isRereadable, openRaw } from './input/raw-input.ts'
import { Spool } from './input/spool.ts'
import { rowsOfLines } from './json/ndjson.ts'
import { openSource, type Source, type SourceOptions } from './open-source.ts'
import type { SourceRow } from './rows.ts'
import { EmptyInput, SourceError } from './source-error.ts'
import { widerColumns } from './wider-columns.ts'

/** A row of a file or of standard input. Rows count from 1; the header does not count. */
export interface FileRow {
  readonly file: string
  readonly row: number
}

/** Several files, one after the other, as one source. */
export interface Sources extends Source {
  /** The files, by the user's names. */
  readonly files: readonly string[]
  /** Keeps the bytes of inputs that can be read only once, if they are read more often. */
  readonly spool: Spool
  /** Returns the file and the row of a row number, which counts from 1 over all files. */
  positionOf(rowNumber: number): FileRow
  /** The same in words: `b.csv: row 3`, or `b.csv: row 3 (line 5)`. */
  placeOf(rowNumber: number, line?: number): string
  lineOf(rowNumber: number): number | undefined
}

/**
 * Opens files as one source of rows, in order. Every file is checked before the first row is read, so that a
 * different format or header is reported before anything is written. Files with nothing in them are skipped,
 * and named in the notes. Only one file is open at a time. Input that can be read only once is kept in the
 * spool, which the caller closes.
 */
export async function openSources(
  named: readonly string[],
  allOptions: SourceOptions = {},
): Promise<Sources> {
  const options = { ...allOptions, spool: allOptions.spool ?? new Spool() }
  const [file] = named
  if (file !== undefined && named.length === 1) return openOnly(file, options)
  return joinFiles(await checkFiles(named, options))
}

type SpooledOptions = SourceOptions & { readonly spool: Spool }

async function openOnly(file: string, options: SpooledOptions): Promise<Sources> {
  if (options.reopened) await keep(file, options)
  const only = await openSource(file, options)
  const notes = [...only.notes, ...dialectNotes([only])]
  const start = { ...only, row: 0 }
  return { ...only, files: [file], spool: options.spool, notes, ...places(() => start) }
}

/** Several files that can be read one after the other, and what they have in common. */
interface CheckedFiles {
  readonly first: Source
  /** Without the empty ones. */
  readonly files: readonly string[]
  readonly notes: readonly string[]
  /** The columns that hold the values of all files, if files have types. */
  readonly columns: Source['columns']
  /** The files are read as `lines`. */
  readonly haveLines: boolean
  /** A record makes the same row, whichever of the files it is in. */
  readonly isReadTheSameWay: boolean
  /** How the files are read: like the first one, if their records leave a choice. */
  readonly options: SpooledOptions
}

/** Opens each file once. @throws SourceError if one differs from the first */
async function checkFiles(named: readonly string[], options: SpooledOptions): Promise<CheckedFiles> {
  const { first, files, empty } = await firstWithRows(named, file => look(file, options))
  const alike = { ...options, preferredDelimiter: first.records?.format.delimiter }
  const notes = [...first.notes]
  const sources: Pick<Source, 'name' | 'chosen'>[] = [first]
  let { columns } = first
  let haveLines = first.lines !== undefined
  let sameWay = true
  for (const file of named.slice(named.indexOf(files[0]!) + 1)) {
    const next = await look(file, alike).catch(unlessEmpty)
    if (!next) {
      empty.push(file)
      continue
    }
    files.push(file)
    checkAlike(first, next)
    columns = columns && next.columns && widerColumns(columns, next.columns)
    haveLines &&= next.lines !== undefined
    sameWay &&= isReadTheSameWay(first, next)
    notes.push(...next.notes)
    sources.push({ name: next.name, chosen: next.chosen })
  }
  notes.push(...dialectNotes(sources), ...emptyNote(empty))
  return { first, files, notes, columns, haveLines, isReadTheSameWay: sameWay, options: alike }
}

/** Opens a file to check it, and closes it again. */
async function look(file: string, options: SpooledOptions): Promise<Source> {
  await keep(file, options)
  const { onOpen: _, repairs: __, ...looking } = options // these bytes will be read again
  const source = await openSource(file, looking)
  source.rows.destroy()
  return source
}

function joinFiles({ first, files, notes, columns, options, ...found }: CheckedFiles): Sources {
  const starts: FileStart[] = []
  const startOf = (number: number): FileStart =>
    starts.findLast(({ row }) => row < number) ?? { name: first.name, row: 0 }
  const { records: firstRecords, lines: _, blocks: firstBlocks, ...common } = first
  const all = {
    ...common,
    ...(columns ? { columns } : {}),
    name: files.length === 1 ? first.name : `${files.length} files`,
    files,
    spool: options.spool,
    notes,
    ...places(startOf),
  }
  if (found.haveLines) {
    const lines = Readable.from(eachBatch(files, options, starts), { highWaterMark: 2 })
    return { ...all, rows: rowsOfLines(lines), lines }
  }
  if (!firstRecords || !found.isReadTheSameWay) {
    const rows = Readable.from(eachRow(files, options, starts))
    if (!firstBlocks) return { ...all, rows }
    const blocks = Readable.from(eachBlocks(files, options, starts, first.header!), { highWaterMark: 1 })
    return { ...all, rows, blocks }
  }
  const stream = Readable.from(eachBatch(files, options, starts), { highWaterMark: 2 })
  const records = { ...firstRecords, stream }
  return { ...all, rows: rowsOf(records, number => startOf(number).name), records }
}

/** Looks for the first file that is not empty. Throws the error of the last file if all are empty. */
async function firstWithRows(
  named: readonly string[],
  look: (file: string) => Promise<Source>,
): Promise<{ first: Source; files: string[]; empty: string[] }> {
  const empty: string[] = []
  for (const file of named.slice(0, -1)) {
    const first = await look(file).catch(unlessEmpty)
    if (first) return { first, files: [file], empty }
    empty.push(file)
  }
  const last = named.at(-1)!
  return { first: await look(last), files: [last], empty }
}

function unlessEmpty(error: unknown): undefined {
  if (!(error instanceof EmptyInput)) throw error
}

function emptyNote(files: readonly string[]): string[] {
  if (files.length === 0) return []
  return [`skipped ${listNames(files)}: there is nothing in ${files.length === 1 ? 'it' : 'them'}`]
}

/** Returns how the files are read: one line for all files that are read in the same way. */
function dialectNotes(sources: readonly Pick<Source, 'name' | 'chosen'>[]): string[] {
  const namesBy = new Map<string, string[]>()
  for (const { name, chosen } of sources) {
    if (chosen !== undefined) namesBy.set(chosen, [...(namesBy.get(chosen) ?? []), name])
  }
  return [...namesBy].map(([chosen, [name, ...others]]) => {
    const more = others.length === 0 ? '' : ` and ${formatCount(others.length)} more`
    return `${name}${more}: ${chosen}`
  })
}

/** Copies an input that can be read only once into the spool, unless it is there. */
async function keep(file: string, { spool, stdin, onOpen }: SourceOptions & { spool: Spool }): Promise<void> {
  if (spool.has(file) || (await isRereadable(file))) return
  const raw = await openRaw(file, stdin)
  onOpen?.(raw)
  await spool.keep(file, raw)
}

/** A file among others, and how many rows come before its first one. */
interface FileStart extends Pick<Source, 'name' | 'lineOf'> {
  readonly row: number
}

function places(
  startOf: (rowNumber: number) => FileStart,
): Pick<Sources, 'positionOf' | 'placeOf' | 'lineOf'> {
  const positionOf = (number: number): FileRow => {
    const { name, row } = startOf(number)
    return { file: name, row: number - row }
  }
  return {
    positionOf,
    placeOf(number, line) {
      const { file, row } = positionOf(number)
      return `${file}: row ${formatCount(row)}${line === undefined ? '' : ` (line ${line})`}`
    },
    lineOf(number) {
      const { row, lineOf } = startOf(number)
      return lineOf?.(number - row)
    },
  }
}

async function* eachRow(
  files: readonly string[],
  options: SourceOptions,
  starts: FileStart[],
): AsyncGenerator<SourceRow> {
  let row = 0
  for (const file of files) {
    const source = await openSource(file, options)
    starts.push({ name: source.name, row, lineOf: source.lineOf })
    for await (const each of source.rows) {
      row++
      yield each as SourceRow
    }
  }
}

/** Yields the files' records or lines, in their tables. */
async function* eachBatch(
  files: readonly string[],
  options: SourceOptions,
  starts: FileStart[],
): AsyncGenerator<RecordTable | LineTable> {
  let row = 0
  for (const file of files) {
    const source = await openSource(file, options)
    starts.push({ name: source.name, row, lineOf: source.lineOf })
    for await (const batch of source.records?.stream ?? source.lines!) {
      row += batch.length
      yield batch
    }
  }
}

/** Yields the files' blocks, in their arrays. The columns are in the order of the first file. */
async function* eachBlocks(
  files: readonly string[],
  options: SourceOptions,
  starts: FileStart[],
  header: readonly string[],
): AsyncGenerator<Block[]> {
  let row = 0
  for (const file of files) {
    const source = await openSource(file, options)
    starts.push({ name: source.name, row, lineOf: source.lineOf })
    const order = header.map(name => source.header!.indexOf(name))
    for await (const batch of source.blocks!) {
      const blocks = (batch as Block[]).map(({ length, columns }) => ({
        length,
        columns: order.map(index => columns[index]!),
      }))
      for (const { length } of blocks) row += length
      yield blocks
    }
  }
}

/** Returns true if a record makes the same row, whichever of the two files it is in. */
function isReadTheSameWay(first: Source, next: Source): boolean {
  const way = ({ header, records }: Source) => JSON.stringify([header, records?.format])
  return way(first) === way(next)
}

/** Rows of JSON have keys of their own, whether each line is one or not. */
function familyOf({ format }: Source): string {
  return format === 'ndjson' ? 'json' : format
}

/** Throws if two files differ in format or column names. The order may differ, since rows have names. */
function checkAlike(first: Source, next: Source): void {
  if (familyOf(next) !== familyOf(first)) {
    const formats = `${next.name} is ${next.format} and ${first.name} is ${first.format}`
    throw new SourceError(formats, { hint: 'load them one by one, or those of one format by a pattern' })
  }
  const [ours, theirs] = [first.header ?? [], next.header ?? []]
  const lacks = ours.find(name => !theirs.includes(name))
  const has = theirs.find(name => !ours.includes(name))
  if (lacks === undefined && has === undefined) return
  const details = [lacks && `it lacks "${lacks}"`, has && `it has "${has}"`].filter(Boolean).join(' and ')
  const isOneKind = formatOfName(first.name) === formatOfName(next.name)
  const advice = isOneKind ? {} : { hint: 'load those of one kind by a pattern' }
  throw new SourceError(`${next.name}: its header is not that of ${first.name}: ${details}`, advice)
}
