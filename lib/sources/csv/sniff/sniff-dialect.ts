import { type DialectOptions, USUAL_DELIMITERS } from '../dialect.ts'
import { cellFit } from './cell-fit.ts'
import { type SampledRecord, sampleRecords } from './sample-records.ts'

/** A dialect that the sample of a file fits. */
export interface Candidate {
  readonly delimiter: string
  readonly quote: string | undefined
  /** The number of fields in most records. */
  readonly width: number
  /** The number of records before the first one of that width: a title, for example. */
  readonly preamble: number
  /** The share of the records from there on that have that width and are not malformed. */
  readonly consistency: number
  readonly records: readonly SampledRecord[]
}

export type Verdict =
  | { readonly kind: 'found'; readonly dialect: Candidate }
  /** No character separates fields: the file has one column. */
  | { readonly kind: 'one column'; readonly dialect: Candidate }
  /** Two dialects fit about equally. */
  | { readonly kind: 'tie'; readonly dialects: readonly [Candidate, Candidate] }
  /** The first line is not like those after it: a title. */
  | { readonly kind: 'preamble'; readonly dialect: Candidate }

/** A second dialect with this share of the best score makes a tie. */
const TIE = 0.95
/** Below this most records do not fit. */
const MIN_CONSISTENCY = 0.5
/** A title is assumed only if the records after it clearly belong together. */
const MIN_CONSISTENCY_AFTER_PREAMBLE = 0.9
const PREAMBLE_PENALTY = 0.4
/** The number of records whose fields are compared with values; the others only count. */
const LOOKED_AT = 200
/** With fewer fields in apostrophes, the apostrophes may be part of words. */
const MIN_APOSTROPHES = 3

export interface Sample {
  readonly text: string
  /** The text is the whole file. */
  readonly isWhole: boolean
}

/**
 * Detects the dialect of a CSV file, as far as the options do not set it. It compares all records of a
 * sample: how many have the same number of fields, and how much the fields look like values. Papa Parse's
 * guess uses the number of fields alone, and never reports a tie or a title.
 * @see https://arxiv.org/abs/1811.11242 "Wrangling messy CSV files by detecting row and type patterns"
 * @param preferred the delimiter of an earlier file of the same load, which is chosen in a tie
 */
export function sniffDialect(sample: Sample, options: DialectOptions, preferred?: string): Verdict {
  const all = candidates(sample, options)
  const fitting = all.filter(isFitting)
  // to look at the fields takes 3 ms of the start
  const scores = new Map(fitting.length > 1 ? fitting.map(candidate => [candidate, scoreOf(candidate)]) : [])
  const [best, rival] = fitting.sort((a, b) => scores.get(b)! - scores.get(a)!)
  if (!best) return withoutBest(all)
  if (rival && scores.get(rival)! >= scores.get(best)! * TIE) {
    const chosen = [best, rival].find(({ delimiter }) => delimiter === preferred)
    if (!chosen) return { kind: 'tie', dialects: [best, rival] }
    return { kind: 'found', dialect: chosen }
  }
  // a header whose width differs from its records' is not a title; the reader reports it
  const beginsWithTitle = best.preamble > 0 && best.records[0]!.fields.length === 1
  if (beginsWithTitle) return { kind: 'preamble', dialect: best }
  return { kind: 'found', dialect: best }
}

/**
 * If no dialect fits most records, the first record decides. The reader then names a record that does not
 * fit.
 */
function withoutBest(all: readonly Candidate[]): Verdict {
  const width = ({ records }: Candidate) => records[0]?.fields.length ?? 1
  const widest = all
    .filter(({ width }) => width > 1)
    .reduce<Candidate | undefined>(
      (best, next) => (width(next) > (best ? width(best) : 1) ? next : best),
      undefined,
    )
  if (widest) return { kind: 'found', dialect: widest }
  return { kind: 'one column', dialect: all[0]! }
}

function isFitting({ width, preamble, consistency, records }: Candidate): boolean {
  if (width < 2) return false
  if (preamble === 0) return consistency >= MIN_CONSISTENCY
  return consistency >= MIN_CONSISTENCY_AFTER_PREAMBLE && records.length - preamble >= 2
}

function candidates({ text, isWhole }: Sample, options: DialectOptions): Candidate[] {
  const { comment } = options
  const delimiters = options.delimiter === undefined ? USUAL_DELIMITERS : [options.delimiter]
  const found: Candidate[] = []
  for (const delimiter of delimiters) {
    if (delimiter !== delimiters[0] && !text.includes(delimiter)) continue
    const by = (quote: string | undefined): Candidate => {
      const escapedBy = quote === undefined ? undefined : (options.escape ?? quote)
      const cut = { delimiter, quote, escape: escapedBy, comment }
      return judge(delimiter, quote, sampleRecords(text, cut, isWhole))
    }
    if ('quote' in options) {
      found.push(by(options.quote))
      continue
    }
    const usual = by('"')
    const other = text.includes("'") ? by("'") : undefined
    found.push(other && isInApostrophes(other, usual) ? other : usual)
  }
  return found
}

function judge(delimiter: string, quote: string | undefined, records: SampledRecord[]): Candidate {
  const width = mostFrequent(records.map(({ fields }) => fields.length))
  const first = records.findIndex(({ fields }) => fields.length === width)
  const preamble = Math.max(first, 0)
  const rest = records.slice(preamble)
  const fitting = rest.filter(record => fits(record, width))
  const consistency = rest.length === 0 ? 0 : fitting.length / rest.length
  return { delimiter, quote, width, preamble, consistency, records }
}

/**
 * Returns how well a dialect fits: consistency, times a factor that grows with the width, times how much
 * fields look like values.
 */
function scoreOf({ records, width, preamble, consistency }: Candidate): number {
  const fitting = records.slice(preamble).filter(record => fits(record, width))
  const fit = mean(fitting.slice(0, LOOKED_AT).flatMap(({ fields }) => fields.map(cellFit)))
  return consistency * (1 - 1 / width) * fit * (preamble > 0 ? PREAMBLE_PENALTY : 1)
}

function fits({ fields, malformed }: SampledRecord, width: number): boolean {
  return fields.length === width && !malformed
}

/** Returns true if a whole column is in apostrophes, or if only they make the records equally wide. */
function isInApostrophes(candidate: Candidate, usual: Candidate): boolean {
  const { records, width, preamble } = candidate
  const rows = records.slice(preamble).filter(({ fields }) => fields.length === width)
  const fields = rows.flatMap(({ fields }) => fields)
  if (records.some(({ malformed }) => malformed)) return false
  if (fields.filter(({ quoted }) => quoted).length < MIN_APOSTROPHES) return false
  if (usual.records.some(({ fields }) => fields.some(({ quoted }) => quoted))) return false
  if (candidate.consistency > usual.consistency) return true
  const values = rows.slice(1) // a header may have no apostrophes
  return Array.from({ length: width }, (_, index) => index).some(index => {
    const column = values.map(({ fields }) => fields[index]!).filter(({ text }) => text !== '')
    return column.length > 1 && column.every(({ quoted }) => quoted)
  })
}

/** Returns the most frequent number; of several, the greatest. */
function mostFrequent(numbers: readonly number[]): number {
  const times = new Map<number, number>()
  for (const number of numbers) times.set(number, (times.get(number) ?? 0) + 1)
  let best = 1
  for (const [number, count] of times) {
    const most = times.get(best) ?? 0
    if (count > most || (count === most && number > best)) best = number
  }
  return best
}

function mean(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}
