import { cellFit } from './cell-fit.ts'
import type { DialectOptions } from './dialect.ts'
import { type SampledRecord, sampleRecords } from './sample-records.ts'

/** A dialect that the sample of a file fits. */
export interface Candidate {
  readonly delimiter: string
  readonly quote: string | undefined
  /** Fields in most records. */
  readonly width: number
  /** Records before the first one of that width: a title, for example. */
  readonly preamble: number
  /** The share of the records from there on that have that width, and no quote where none may be. */
  readonly consistency: number
  /** How well it fits: the product of consistency, the number of fields, and how much these look like values. */
  readonly score: number
  readonly records: readonly SampledRecord[]
}

export type Verdict =
  | { readonly kind: 'found'; readonly dialect: Candidate }
  /** No character separates fields: the file has one column. */
  | { readonly kind: 'one column'; readonly dialect: Candidate }
  /** Two fit about equally. */
  | { readonly kind: 'tie'; readonly dialects: readonly [Candidate, Candidate] }
  /** A line that is not like those after it comes first: a title. */
  | { readonly kind: 'preamble'; readonly dialect: Candidate }

/** In the order of preference where nothing speaks for one of them. */
export const DELIMITERS = [',', '\t', ';', '|'] as const

/** A rival with this share of the best one's score makes the choice a guess. */
const TIE = 0.95
/** Below it most records do not fit. */
const MIN_CONSISTENCY = 0.5
/** What looks like a title needs records that clearly belong together. */
const MIN_CONSISTENCY_AFTER_PREAMBLE = 0.9
const PREAMBLE_PENALTY = 0.4
/** Records whose fields are looked at; the others are only counted. */
const LOOKED_AT = 200
/** Fewer fields in apostrophes may be words that have them. */
const MIN_APOSTROPHES = 3

export interface Sample {
  readonly text: string
  /** It is the whole file. */
  readonly isWhole: boolean
}

/**
 * Judges how a CSV file is written by all records of a sample: how many have equally many fields, and how much the
 * fields look like values. What the options say is taken as given.
 * @see https://arxiv.org/abs/1811.11242 for the idea: "Wrangling messy CSV files by detecting row and type patterns"
 * @param preferred taken where it fits as well as another: the delimiter of an earlier file of the same load
 */
export function sniffDialect(sample: Sample, options: DialectOptions, preferred?: string): Verdict {
  const all = candidates(sample, options)
  const fitting = all.filter(isFitting).sort((a, b) => b.score - a.score)
  const [best] = fitting
  if (!best) return withoutBest(all)
  const rival = fitting.find(other => other.delimiter !== best.delimiter)
  if (rival && rival.score >= best.score * TIE) {
    const chosen = [best, rival].find(({ delimiter }) => delimiter === preferred)
    if (!chosen) return { kind: 'tie', dialects: [best, rival] }
    return { kind: 'found', dialect: chosen }
  }
  // a header with other fields than its records is for the reader to refuse, where they are not expected
  const beginsWithTitle = best.preamble > 0 && best.records[0]!.fields.length === 1
  if (beginsWithTitle) return { kind: 'preamble', dialect: best }
  return { kind: 'found', dialect: best }
}

/** Where nothing fits most records, the first one decides; its reader then names a record that does not fit. */
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
  const delimiters = options.delimiter === undefined ? DELIMITERS : [options.delimiter]
  const found: Candidate[] = []
  for (const delimiter of delimiters) {
    if (delimiter !== delimiters[0] && !text.includes(delimiter)) continue
    const by = (quote: string | undefined): Candidate => {
      const escapeBy = quote === undefined ? undefined : (options.escape ?? quote)
      const cut = { delimiter, quote, escape: escapeBy, comment }
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
  const fitting = rest.filter(({ fields, malformed }) => fields.length === width && !malformed)
  const consistency = rest.length === 0 ? 0 : fitting.length / rest.length
  const fit = mean(fitting.slice(0, LOOKED_AT).flatMap(({ fields }) => fields.map(cellFit)))
  const score = consistency * (1 - 1 / width) * fit * (preamble > 0 ? PREAMBLE_PENALTY : 1)
  return { delimiter, quote, width, preamble, consistency, score, records }
}

/** True where a whole column is in apostrophes, or only with them the records have equally many fields. */
function isInApostrophes(candidate: Candidate, usual: Candidate): boolean {
  const { records, width, preamble } = candidate
  const rows = records.slice(preamble).filter(({ fields }) => fields.length === width)
  const fields = rows.flatMap(({ fields }) => fields)
  if (records.some(({ malformed }) => malformed)) return false
  if (fields.filter(({ quoted }) => quoted).length < MIN_APOSTROPHES) return false
  if (usual.records.some(({ fields }) => fields.some(({ quoted }) => quoted))) return false
  if (candidate.consistency > usual.consistency) return true
  const values = rows.slice(1) // a header may be without
  return Array.from({ length: width }, (_, index) => index).some(index => {
    const column = values.map(({ fields }) => fields[index]!).filter(({ text }) => text !== '')
    return column.length > 1 && column.every(({ quoted }) => quoted)
  })
}

/** Of those that come equally often the greatest. */
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
