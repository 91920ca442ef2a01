import type { HeaderFault } from '../read-header.ts'
import { judgeHeader } from './judge-header.ts'
import type { SampledRecord } from './sample-records.ts'
import { usualWidth } from './usual-width.ts'

/** More records above a header are not looked for. */
const MAX_ABOVE = 50
/** A header has names for this share of the fields that the records below have values for. */
const NAMED = 0.6
/** With fewer columns, one text in the first record may be the only name of the header. */
const MIN_COLUMNS = 4
/** Records that are compared with the header: another table may follow further down. */
const LOOKED_AT = 50

/**
 * Returns how many records are above the header: a title, a date, a record of delimiters alone. They have
 * another number of fields, or hardly a value, and the record after them is clearly a header.
 * @param width the number of fields of most records
 */
export function recordsAboveHeader(records: readonly SampledRecord[], width: number): number {
  const usual = median(records.map(valueCount).filter(count => count > 0))
  const isHeader = (record: SampledRecord) =>
    record.fields.length === width && valueCount(record) >= Math.max(2, usual * NAMED)
  const above = records.slice(0, MAX_ABOVE + 1).findIndex(isHeader)
  if (above < 1 || above === records.length - 1) return 0
  const verdict = judgeHeader(records.slice(above))
  if (verdict !== 'unknown') return verdict === 'header' ? above : 0
  const skipped = records.slice(0, above)
  const areTitles = skipped.every(record => record.fields.length === width && valueCount(record) <= 1)
  return areTitles && (width >= MIN_COLUMNS || skipped.some(record => valueCount(record) === 0)) ? above : 0
}

/**
 * Returns how the header has to change to name the fields of the records below it, which all have the same
 * number of fields.
 */
export function headerFault([header, ...records]: readonly SampledRecord[]): HeaderFault | undefined {
  const rows = records.slice(0, LOOKED_AT)
  const width = usualWidth(rows)
  if (!header || header.malformed || width === undefined) return undefined
  const names = header.fields
  const extra = names.filter(({ text }) => text.trim() === '').length
  if (width === names.length - extra && extra > 0 && width > 0) return 'extra empty names'
  if (width !== names.length + 1) return undefined
  const usual = rows.filter(({ fields }) => fields.length === width)
  const isEmpty = ({ fields }: SampledRecord) => fields.at(-1)!.text === '' && !fields.at(-1)!.quoted
  if (usual.every(isEmpty)) return 'lacks the last name'
  const areRowNames = usual.every(({ fields }) => fields[0]!.quoted && fields[0]!.text !== '')
  return areRowNames && names.every(({ quoted }) => quoted) ? 'lacks the first name' : undefined
}

function valueCount({ fields }: SampledRecord): number {
  return fields.filter(({ text }) => text.trim() !== '').length
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0
}
