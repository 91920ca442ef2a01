import { FieldCutter } from '../../../csv/field-cutter.ts'
import { CsvRecord } from '../../../csv/record.ts'
import type { Repairs } from '../../repairs.ts'
import type { Dialect } from '../dialect.ts'
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
  #hasStrayQuote = false

  constructor(dialect: Dialect, file: string, repairs: Repairs | undefined) {
    this.#dialect = dialect
    this.#file = file
    this.#repairs = repairs
    this.#cutter = new FieldCutter(dialect)
    this.#null = dialect.nulls.includes('') ? '' : (dialect.nulls[0] ?? '')
  }

  /** To be called before a record with a quote inside an unquoted field, which is read as text. */
  readonly noteStrayQuote = (): void => {
    this.#hasStrayQuote = true
  }

  /**
   * Returns the record that is meant, or the record itself.
   * @param width the number of columns; undefined for a header, which shows it
   */
  repaired(record: CsvRecord, width: number | undefined): CsvRecord {
    const hasStrayQuote = this.#hasStrayQuote
    this.#hasStrayQuote = false
    if (record.fault !== undefined) return this.#recut(record, width)
    const count = width === undefined || record.start === record.end ? width : this.#cutter.cut(record)
    if (count === width || width === undefined) {
      if (hasStrayQuote) this.#repairs?.add('quote', record.line, this.#file)
      return record
    }
    if (hasStrayQuote) return record
    return count! < width ? this.#padded(record, width - count!) : this.#shortened(record, width, count!)
  }

  #recut(record: CsvRecord, width: number | undefined): CsvRecord {
    const text = recutLine(record.toJSON(), this.#dialect, width)
    if (text === undefined) return record
    this.#repairs?.add('quote', record.line, this.#file)
    const bytes = Buffer.from(text)
    return new CsvRecord(bytes, 0, bytes.length, record.line)
  }

  #padded(record: CsvRecord, lacking: number): CsvRecord {
    this.#repairs?.add('missing', record.line, this.#file)
    const more = Buffer.from(`${this.#dialect.delimiter}${this.#null}`.repeat(lacking))
    const bytes = Buffer.concat([record.bytes, more])
    return new CsvRecord(bytes, 0, bytes.length, record.line)
  }

  #shortened(record: CsvRecord, width: number, count: number): CsvRecord {
    const { starts, ends, kinds } = this.#cutter
    for (let field = width; field < count; field++) if (starts[field] !== ends[field]) return record
    this.#repairs?.add('extra', record.line, this.#file)
    const end = ends[width - 1]! + (kinds[width - 1] === 0 ? 0 : 1)
    return new CsvRecord(record.chunk, record.start, end, record.line)
  }
}
