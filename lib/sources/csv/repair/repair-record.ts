import { FieldCutter } from '../../../csv/field-cutter.ts'
import { CsvRecord } from '../../../csv/record.ts'
import type { Repairs } from '../../repairs.ts'
import type { Dialect } from '../dialect.ts'
import type { SampledRecord } from '../sniff/sample-records.ts'
import { usualWidth } from '../sniff/usual-width.ts'
import { INSIDE_FIELD } from '../split/split-error.ts'
import { type ColumnEvidence, columnEvidence } from './column-evidence.ts'
import {
  extraEmptyField,
  fitsColumns,
  hasExtraLastFields,
  lacksLastFields,
  mayBeOneField,
} from './is-beyond-doubt.ts'
import { recutLine } from './recut-line.ts'

/**
 * Repairs the records of a file where there is no doubt about what they mean, and counts the repairs. A
 * record that needs repairs of two kinds is left as it is.
 */
export class RecordRepair {
  readonly #dialect: Dialect
  readonly #file: string
  readonly #repairs: Repairs | undefined
  readonly #cutter: FieldCutter
  readonly #null: string
  readonly #sampled: readonly SampledRecord[]
  /** The number of fields that nearly all records have, whatever the header has. */
  readonly #usualWidth: number | undefined
  /** The records of the header. */
  #header: readonly Buffer[] = []
  /** Undefined until the header is known. */
  #columns: readonly ColumnEvidence[] | undefined

  /**
   * @param sampled the first records below the header, which show what those look like that need no repair
   */
  constructor(
    dialect: Dialect,
    file: string,
    sampled: readonly SampledRecord[],
    repairs: Repairs | undefined,
  ) {
    this.#sampled = sampled
    this.#usualWidth = usualWidth(sampled)
    this.#dialect = dialect
    this.#file = file
    this.#repairs = repairs
    this.#cutter = new FieldCutter({ ...dialect, nulls: [] }) // the texts of all fields
    this.#null = dialect.nulls.includes('') ? '' : (dialect.nulls[0] ?? '')
  }

  /**
   * To be called once the number of columns is known.
   * @param header the records of the header
   */
  begin(width: number, header: readonly CsvRecord[]): void {
    this.#header = width > 1 ? header.map(({ bytes }) => bytes) : []
    this.#columns = columnEvidence(this.#sampled, width)
  }

  /**
   * Returns the record that is meant, or the record itself. Undefined: it is the header once more.
   * @param hasStrayQuote it has a quote inside an unquoted field, which is read as text
   * @param hasNul it has a NUL, which is a fault that is not repaired
   */
  repaired(record: CsvRecord, hasStrayQuote: boolean, hasNul: boolean): CsvRecord | undefined {
    const columns = this.#columns
    if (hasNul) return hasStrayQuote ? withQuoteInside(record) : record
    if (record.fault !== undefined) return this.#recut(record)
    if (this.#isHeader(record)) {
      this.#add('header', record)
      return undefined
    }
    if (columns === undefined || record.start === record.end) return record
    const count = this.#cutter.cut(record)
    if (count === columns.length && !hasStrayQuote) return record
    const fields = this.#fieldsOf(record, count)
    if (hasStrayQuote) return this.#withStrayQuote(record, fields)
    return count < columns.length
      ? this.#padded(record, fields, columns)
      : this.#shortened(record, fields, columns)
  }

  #isHeader({ chunk, start, end }: CsvRecord): boolean {
    return this.#header.some(bytes => bytes.length === end - start && bytes.compare(chunk, start, end) === 0)
  }

  /** Returns a record with a quote inside an unquoted field, as it is: the quote is text. */
  #withStrayQuote(record: CsvRecord, fields: readonly string[]): CsvRecord {
    const columns = this.#columns!
    if (fields.length !== columns.length) return record
    const unquoted = fields.filter((_, field) => this.#cutter.kinds[field] === 0)
    if (fitsColumns(fields, columns) && !mayBeOneField(unquoted, this.#dialect.quote!)) {
      this.#add('quote', record)
      return record
    }
    return withQuoteInside(record)
  }

  #recut(record: CsvRecord): CsvRecord {
    const columns = this.#columns
    const text = recutLine(record.toJSON(), this.#dialect, columns?.length ?? this.#usualWidth)
    if (text === undefined) return record
    const bytes = Buffer.from(text)
    const recut = new CsvRecord(bytes, 0, bytes.length, record.line)
    if (columns && !fitsColumns(this.#fieldsOf(recut, this.#cutter.cut(recut)), columns)) return record
    this.#add('quote', record)
    return recut
  }

  #padded(record: CsvRecord, fields: readonly string[], columns: readonly ColumnEvidence[]): CsvRecord {
    if (fields.length !== this.#usualWidth && !lacksLastFields(fields, columns)) return record
    this.#add('missing', record)
    const lacking = columns.length - fields.length
    const more = Buffer.from(`${this.#dialect.delimiter}${this.#null}`.repeat(lacking))
    const bytes = Buffer.concat([record.bytes, more])
    return new CsvRecord(bytes, 0, bytes.length, record.line)
  }

  #shortened(record: CsvRecord, fields: readonly string[], columns: readonly ColumnEvidence[]): CsvRecord {
    const inner = extraEmptyField(fields, columns)
    if (inner !== undefined) return this.#withoutEmpty(record, inner)
    if (fields.slice(columns.length).some(text => text !== '')) return record
    if (fields.length !== this.#usualWidth && !hasExtraLastFields(fields, columns)) return record
    this.#add('extra', record)
    const { ends, kinds } = this.#cutter
    const last = columns.length - 1
    const end = ends[last]! + (kinds[last] === 0 ? 0 : 1)
    return new CsvRecord(record.chunk, record.start, end, record.line)
  }

  #withoutEmpty(record: CsvRecord, field: number): CsvRecord {
    if (this.#cutter.kinds[field] !== 0) return record
    this.#add('extra', record)
    const { chunk, start, end, line } = record
    const at = this.#cutter.starts[field]! // the delimiter after it
    const bytes = Buffer.concat([chunk.subarray(start, at), chunk.subarray(at + 1, end)])
    return new CsvRecord(bytes, 0, bytes.length, line)
  }

  #fieldsOf({ chunk }: CsvRecord, count: number): string[] {
    return Array.from({ length: count }, (_, field) => this.#cutter.text(chunk, field)!)
  }

  #add(kind: Parameters<Repairs['add']>[0], { line }: CsvRecord): void {
    this.#repairs?.add(kind, line, this.#file)
  }
}

function withQuoteInside({ chunk, start, end, line }: CsvRecord): CsvRecord {
  return new CsvRecord(chunk, start, end, line, `line ${line} ${INSIDE_FIELD}`)
}
