import { plural } from '../../../values/format-count.ts'
import { NUL_ADVICE } from '../../input/not-utf8.ts'
import { FormatUnknown, SourceError } from '../../source-error.ts'
import { type DialectOptions, delimiterName, delimiterWord } from '../dialect.ts'
import { refuseExcelLine } from '../excel-line.ts'
import { refuseLayout } from './refuse-layout.ts'
import { type Candidate, type Sample, sniffDialect, type Verdict } from './sniff-dialect.ts'

export interface DialectRequest {
  readonly options: DialectOptions
  /** Detect whether the first record is a header. */
  readonly judgesHeader: boolean
  /** Lines above the header are skipped. False: they are an error. */
  readonly skipsTitle: boolean
  /** The delimiter of an earlier file of the same load. */
  readonly preferred: string | undefined
  /** The header has several lines. */
  readonly hasTallHeader: boolean
  /** Numbers have decimal commas. */
  readonly hasDecimalCommas: boolean
}

/** A dialect that fits the file, alone. */
export type Fitting = Exclude<Verdict, { kind: 'tie' }>

/**
 * Finds the one dialect that fits a file.
 * @throws FormatUnknown if two dialects fit equally, SourceError if a title comes first
 */
export function findDialect(
  sample: Sample,
  { options, skipsTitle, preferred, hasDecimalCommas }: DialectRequest,
  name: string,
): Fitting {
  const first = firstLine(sample.text, options.comment)
  refuseExcelLine(first, name)
  if (first.includes('\0')) {
    throw new SourceError(`${name}: ${NUL_ADVICE}`)
  }
  const isNamed = options.delimiter !== undefined
  if (!isNamed) refuseLayout(sample, name)
  const verdict = sniffDialect(sample, options, preferred)
  if (verdict.kind === 'tie') throw fitEqually(verdict.dialects, name)
  const { dialect } = verdict
  if (hasDecimalCommas && !isNamed && mayBeDecimals(verdict)) throw commaTwice(name, sample.text)
  if (hasTitle(verdict, options) && !(skipsTitle && isClearTitle(dialect))) {
    throw afterPreamble(dialect, name, sample.text)
  }
  if (dialect.delimiter === '\t' && options.nulls === undefined && hasCopyNull(sample.text)) {
    throw looksLikeCopyText(name)
  }
  return verdict
}

/** Returns true if the lines above the dialect's records are a title. */
export function hasTitle({ kind }: Fitting, { delimiter }: DialectOptions): boolean {
  return kind === 'preamble' && delimiter === undefined
}

/** Returns false if the first line may name a single column, whose texts have delimiters: `hello, world`. */
function isClearTitle({ records, preamble }: Candidate): boolean {
  const { line, fields } = records[preamble]!
  return line > 2 || fields.every(({ text, quoted }) => quoted || text === text.trimStart())
}

function fitEqually(dialects: readonly [Candidate, Candidate], name: string): FormatUnknown {
  const [a, b] = dialects.map(({ delimiter }) => delimiter) as [string, string]
  const fit = `${delimiterName(a)} and ${delimiterName(b)} between fields fit equally well`
  const options = `--delimiter ${delimiterWord(a)} or --delimiter ${delimiterWord(b)}`
  return new FormatUnknown(`${name}: ${fit}; say which, with ${options}`)
}

function afterPreamble(
  { delimiter, preamble, width, records }: Candidate,
  name: string,
  text: string,
): SourceError {
  const { line } = records[preamble]!
  const first = plural(records[0]!.fields.length, 'field')
  const others = `${plural(width, 'field')}, with ${delimiterName(delimiter)} between`
  const fault =
    `${name}: line ${records[0]!.line} has ${first}, ` + `the records from line ${line} on have ${others}`
  const title = `if it is a title, skip it: --skip-lines ${line - 1}`
  const word = absentDelimiter(text)
  const column = `if it is the header of a single column, say --delimiter ${word}, which is in no line`
  const other = line === 2 ? column : `if not, name the delimiter: --delimiter ${delimiterWord(delimiter)}`
  return new SourceError(fault, { hint: `${title}; ${other}` })
}

/** Returns the word for a delimiter that is in no line, which makes one column. */
function absentDelimiter(text: string): string {
  const absent = ['\t', '|', ';'].find(other => !text.includes(other))
  return absent === undefined ? '\\x01' : delimiterWord(absent)
}

/** Returns true if the commas between fields may be those of decimals: no quotes distinguish them. */
function mayBeDecimals({ kind, dialect }: Fitting): boolean {
  if (kind === 'one column' || dialect.delimiter !== ',') return false
  return !dialect.records.some(({ fields }) =>
    fields.some(({ text, quoted }) => quoted && text.includes(',')),
  )
}

function commaTwice(name: string, text: string): SourceError {
  const both = 'commas seem to be between its fields, and --decimal-separator says they are in numbers'
  const column = `if it has one column, --delimiter ${absentDelimiter(text)}, which is in no line`
  return new SourceError(`${name}: ${both}`, {
    hint: `if they are between fields, say --delimiter ','; ${column}`,
  })
}

/** Returns true for `\\N` between tabs, which is NULL in COPY's text format, and two characters in CSV. */
function hasCopyNull(text: string): boolean {
  return text.includes('\t') && /(?:^|[\t\n])\\N(?:[\t\r\n]|$)/.test(text)
}

function looksLikeCopyText(name: string): SourceError {
  return new SourceError(`${name}: it has \\N between tabs, as the text format of COPY has`, {
    hint: "say --format text, or --null '\\N' if it is CSV all the same",
  })
}

function firstLine(text: string, comment: string | undefined): string {
  const lines = text.split(/\r\n|\n|\r/, 1000)
  return lines.find(line => line !== '' && !(comment && line.startsWith(comment))) ?? ''
}

/** Throws for a file that is named .tsv, if it has no tab and another delimiter fits. */
export function checkTabs(sample: Sample, options: DialectOptions, name: string): void {
  if (options.nulls === undefined && hasCopyNull(sample.text)) throw looksLikeCopyText(name)
  const verdict = sample.text.includes('\t') ? undefined : sniffDialect(sample, options)
  if (verdict?.kind !== 'found') return
  const { delimiter } = verdict.dialect
  throw new SourceError(
    `${name}: its name says tabs between fields, and its records have ${delimiterName(delimiter)}`,
    { hint: `say which, with --delimiter ${delimiterWord(delimiter)} or --delimiter tab` },
  )
}
