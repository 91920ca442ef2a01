import { plural } from '../../../values/format-count.ts'
import { FormatUnknown, SourceError } from '../../source-error.ts'
import {
  type Dialect,
  type DialectOptions,
  delimiterName,
  delimiterWord,
  resolveDialect,
} from '../dialect.ts'
import { refuseExcelLine } from '../excel-line.ts'
import type { HeaderFault } from '../read-header.ts'
import { headerFault, recordsAboveHeader } from './find-header.ts'
import { isOnlyData, judgeHeader } from './judge-header.ts'
import { refuseLayout } from './refuse-layout.ts'
import type { SampledRecord } from './sample-records.ts'
import { type Candidate, type Sample, sniffDialect, type Verdict } from './sniff-dialect.ts'

export interface ChosenDialect {
  readonly dialect: Dialect
  /**
   * How the file is read, in words, so that a wrong choice is noticed; undefined if the options set
   * everything.
   */
  readonly chosen: string | undefined
  /** The lines above the header, which are a title. */
  readonly titleLines: number
  readonly headerFault: HeaderFault | undefined
  /** The first records, from the header on. */
  readonly sampled: readonly SampledRecord[]
}

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

/** Bytes of a file from which its dialect is detected. */
export const SAMPLE_BYTES = 64 * 1024

/** Returns true if a short head is enough: it has two lines, and they fit one dialect. */
export function showsDialect(head: Buffer, options: DialectOptions): boolean {
  if (head.toString('latin1').split(/\r\n|\n|\r/).length < 3) return false
  return ['found', 'one column'].includes(sniffDialect({ text: String(head), isWhole: false }, options).kind)
}

/**
 * Chooses how a CSV file is read, as far as the options do not set it.
 * @throws FormatUnknown if two dialects fit equally, SourceError if a title comes first
 */
export function chooseDialect(
  sample: Sample,
  { options, judgesHeader, skipsTitle, preferred, hasTallHeader, hasDecimalCommas }: DialectRequest,
  name: string,
): ChosenDialect {
  const first = firstLine(sample.text, options.comment)
  refuseExcelLine(first, name)
  if (first.includes('\0')) {
    throw new SourceError(`${name}: it has NUL bytes; if it is UTF-16, say so with --encoding utf-16le`)
  }
  if (options.delimiter === undefined) refuseLayout(sample, name)
  const verdict = sniffDialect(sample, options, preferred)
  if (verdict.kind === 'tie') throw fitEqually(verdict.dialects, name)
  const isNamed = options.delimiter !== undefined
  if (hasDecimalCommas && !isNamed && mayBeDecimals(verdict)) throw commaTwice(name, sample.text)
  const hasTitle = verdict.kind === 'preamble' && !isNamed
  if (hasTitle && !(skipsTitle && isClearTitle(verdict.dialect)))
    throw afterPreamble(verdict.dialect, name, sample.text)
  const { delimiter, quote, width, preamble } = verdict.dialect
  const belowTitle = verdict.dialect.records.slice(hasTitle ? preamble : 0)
  const looksFurther = skipsTitle && options.header === undefined && !hasTallHeader
  const records = belowTitle.slice(looksFurther ? recordsAboveHeader(belowTitle, width) : 0)
  if (delimiter === '\t' && options.nulls === undefined && hasCopyNull(sample.text))
    throw looksLikeCopyText(name)
  const looksLikeData = judgeHeader(records) === 'data' || (sample.isWhole && isOnlyData(records))
  const isData = judgesHeader && options.header === undefined && looksLikeData
  const header = options.header ?? !isData
  const hasAbove = records.length < verdict.dialect.records.length
  const titleLines = hasAbove ? records[0]!.line - 1 : 0
  const words = [
    ...(hasAbove ? [`${plural(titleLines, 'line')} above the header skipped (see --strict-header)`] : []),
    verdict.kind === 'one column' ? 'one column' : `${delimiterName(delimiter)} between fields`,
    ...(quote === "'" && !('quote' in options) ? ['apostrophes around them (see --quote)'] : []),
    ...(isDoubled(records, width) ? ['every second field empty'] : []),
    header ? 'a header' : isData ? 'no header, since the first line is data (see --header)' : 'no header',
  ]
  const see = isDoubled(records, width) ? delimiterWord(delimiter.repeat(2)) : ''
  const isQuoteGiven = quote !== "'" || 'quote' in options
  const isGiven = isNamed && isQuoteGiven && !isData && !hasAbove
  return {
    dialect: resolveDialect({ ...options, quote, header }, delimiter),
    titleLines,
    headerFault: header && !hasTallHeader ? headerFault(records) : undefined,
    sampled: records,
    chosen: isGiven
      ? undefined
      : `${words.join(', ')}${isNamed ? '' : ` (see ${`--delimiter ${see}`.trimEnd()})`}`,
  }
}

/** Returns true if each delimiter comes twice, as in `id||name`: two may be one delimiter. */
function isDoubled(records: readonly SampledRecord[], width: number): boolean {
  const usual = records.filter(({ fields }) => fields.length === width)
  const isPair = ({ fields }: SampledRecord) =>
    fields.every(({ text, quoted }, at) => at % 2 === 0 || (text === '' && !quoted))
  return width > 2 && width % 2 === 1 && usual.length > 1 && usual.every(isPair)
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
function mayBeDecimals({ kind, dialect }: Exclude<Verdict, { kind: 'tie' }>): boolean {
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
export function hasCopyNull(text: string): boolean {
  return text.includes('\t') && /(?:^|[\t\n])\\N(?:[\t\r\n]|$)/.test(text)
}

export function looksLikeCopyText(name: string): SourceError {
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
