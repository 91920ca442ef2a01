import { type CellKind, kindOfCell } from '../sniff/cell-fit.ts'
import type { SampledRecord } from '../sniff/sample-records.ts'

/** What the fields of a column have in common, as far as the sample of the file shows it. */
export interface ColumnEvidence {
  /** Nearly all fields with a value look like this. Undefined: they are texts, or differ. */
  readonly kind: CellKind | undefined
  /** No field is empty. */
  readonly isFilled: boolean
}

/** Fewer values show no kind. */
const MIN_VALUES = 2
/** The share of a column's values that show its kind. */
const MOST = 0.9
/** Fewer records do not show that a column is never empty. */
const MIN_RECORDS = 10

/**
 * Returns the evidence for each column of a file.
 * @param records the sampled records below the header; those of another width do not count
 */
export function columnEvidence(records: readonly SampledRecord[], width: number): ColumnEvidence[] {
  const rows = records.filter(({ fields, malformed }) => fields.length === width && !malformed)
  return Array.from({ length: width }, (_, index) => {
    const texts = rows.map(({ fields }) => fields[index]!.text).filter(text => text !== '')
    return { kind: commonKind(texts), isFilled: rows.length >= MIN_RECORDS && texts.length === rows.length }
  })
}

function commonKind(texts: readonly string[]): CellKind | undefined {
  if (texts.length < MIN_VALUES) return undefined
  const times = new Map<CellKind, number>()
  for (const text of texts) {
    const kind = kindOfCell(text.trim())
    times.set(kind, (times.get(kind) ?? 0) + 1)
  }
  const [kind] = [...times].find(([, count]) => count >= texts.length * MOST) ?? []
  return kind === 'text' ? undefined : kind
}
