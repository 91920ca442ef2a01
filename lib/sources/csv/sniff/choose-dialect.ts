import { type Dialect, type DialectOptions, resolveDialect } from '../dialect.ts'
import type { HeaderFault } from '../read-header.ts'
import { describeChoice } from './describe-choice.ts'
import { type DialectRequest, type Fitting, findDialect, hasTitle } from './find-dialect.ts'
import { headerFault, recordsAboveHeader } from './find-header.ts'
import { isOnlyData, judgeHeader } from './judge-header.ts'
import type { SampledRecord } from './sample-records.ts'
import { type Sample, sniffDialect } from './sniff-dialect.ts'

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

/** Bytes of a file from which its dialect is detected. */
export const SAMPLE_BYTES = 64 * 1024

/** Returns true if a short head is enough: it has two lines, and they fit one dialect. */
export function showsDialect(head: Buffer, options: DialectOptions): boolean {
  if (head.toString('latin1').split(/\r\n|\n|\r/).length < 3) return false
  return ['found', 'one column'].includes(sniffDialect({ text: String(head), isWhole: false }, options).kind)
}

/**
 * Chooses how a CSV file is read, as far as the options do not set it.
 * @throws what `findDialect` throws
 */
export function chooseDialect(sample: Sample, request: DialectRequest, name: string): ChosenDialect {
  const { options, judgesHeader, hasTallHeader } = request
  const verdict = findDialect(sample, request, name)
  const { delimiter, quote, width } = verdict.dialect
  const records = fromHeader(verdict, request)
  const isData = judgesHeader && options.header === undefined && looksLikeData(records, sample)
  const header = options.header ?? !isData
  const isBelowOthers = records.length < verdict.dialect.records.length
  const titleLines = isBelowOthers ? records[0]!.line - 1 : 0
  const isOneColumn = verdict.kind === 'one column'
  const choice = { delimiter, quote, header, isData, titleLines, isOneColumn }
  return {
    dialect: resolveDialect({ ...options, quote, header }, delimiter),
    titleLines,
    headerFault: header && !hasTallHeader ? headerFault(records) : undefined,
    sampled: records,
    chosen: describeChoice({ ...choice, isDoubled: isDoubled(records, width) }, options),
  }
}

/** Returns the records of the sample below those that are skipped. */
function fromHeader(
  verdict: Fitting,
  { options, skipsTitle, hasTallHeader }: DialectRequest,
): readonly SampledRecord[] {
  const { records, width, preamble } = verdict.dialect
  const belowTitle = records.slice(hasTitle(verdict, options) ? preamble : 0)
  const looksFurther = skipsTitle && options.header === undefined && !hasTallHeader
  return belowTitle.slice(looksFurther ? recordsAboveHeader(belowTitle, width) : 0)
}

function looksLikeData(records: readonly SampledRecord[], { isWhole }: Sample): boolean {
  return judgeHeader(records) === 'data' || (isWhole && isOnlyData(records))
}

/** Returns true if each delimiter comes twice, as in `id||name`: two may be one delimiter. */
function isDoubled(records: readonly SampledRecord[], width: number): boolean {
  const usual = records.filter(({ fields }) => fields.length === width)
  const isPair = ({ fields }: SampledRecord) =>
    fields.every(({ text, quoted }, at) => at % 2 === 0 || (text === '' && !quoted))
  return width > 2 && width % 2 === 1 && usual.length > 1 && usual.every(isPair)
}
