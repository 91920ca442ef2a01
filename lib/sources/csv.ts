import { CsvError, type InfoRecord, Parser } from 'csv-parse'
import { MAX_RECORD_BYTES, type SourceRow } from './rows.ts'
import { SourceError } from './source-error.ts'

/**
 * Bytes of CSV with a header in, one object a record out, every value a string or null. As in `\copy … csv`, an
 * unquoted empty field is NULL and a quoted one is the empty string.
 * @see https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-CSV-FORMAT
 */
export function readCsv(name: string, onHeader: (columns: string[]) => void): Parser {
  let header: string[] | undefined

  function take({ record, raw }: RawRecord, { lines }: InfoRecord): SourceRow | undefined {
    const fields = record.includes('') ? withNulls(record, raw) : record
    if (header) return toRow(header, fields, `${name}: the record that ends on line ${lines}`)
    header = checkedHeader(fields, name)
    onHeader(header)
    return undefined
  }

  return new CsvReader(name, {
    // each line end of its own, so that a file put together from several systems' is read right
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true, // counted in toRow, where a blank line can be told from a short record
    max_record_size: MAX_RECORD_BYTES,
    // `cast` would tell quoted fields from others, too, but makes the parser five times slower
    raw: true,
    on_record: (record: unknown, context) => take(record as RawRecord, context) as never,
  })
}

interface RawRecord {
  readonly record: string[]
  /** The record as it stands in the file. */
  readonly raw: string
}

type Field = string | null

/** Makes NULL of the empty fields that have no quotes, by walking along the record's text. */
function withNulls(record: readonly string[], raw: string): Field[] {
  let position = 0
  return record.map(field => {
    const quoted = raw[position] === '"'
    position += (quoted ? field.replaceAll('"', '""').length + 2 : field.length) + 1
    return field === '' && !quoted ? null : field
  })
}

/** Says in our words what csv-parse objects to, since its own quote the field. */
class CsvReader extends Parser {
  readonly #name: string

  constructor(name: string, options: ConstructorParameters<typeof Parser>[0]) {
    super(options)
    this.#name = name
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    super._destroy(error instanceof CsvError ? this.#explain(error) : error, done)
  }

  #explain(error: CsvError): SourceError {
    const what = PROBLEMS[error.code] ?? 'is not valid CSV'
    return new SourceError(`${this.#name}: line ${this.info.lines} ${what}`)
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  CSV_INVALID_CLOSING_QUOTE: 'has text after a closing quote (a quote inside quotes is written twice)',
  CSV_QUOTE_NOT_CLOSED: 'begins a quoted field that never ends',
  INVALID_OPENING_QUOTE: 'has a quote inside an unquoted field',
  CSV_MAX_RECORD_SIZE: 'begins a record of more than 64 MiB; is a quote left open?',
}

function toRow(header: readonly string[], record: readonly Field[], where: string): SourceRow | undefined {
  if (record.length !== header.length) {
    if (record.length === 1 && record[0] === null) return undefined // a blank line
    throw new SourceError(`${where} has ${count(record.length, 'field')}, the header has ${header.length}`)
  }
  const row: SourceRow = {}
  for (let i = 0; i < header.length; i++) setOwn(row, header[i]!, record[i])
  return row
}

function setOwn(row: SourceRow, column: string, value: unknown): void {
  if (column !== '__proto__') row[column] = value
  // an assignment would set the prototype, and the column be lost
  else Object.defineProperty(row, column, { value, enumerable: true })
}

function checkedHeader(record: readonly Field[], name: string): string[] {
  const seen = new Set<string>()
  return record.map((column, index) => {
    if (column === null || column.trim() === '') {
      throw new SourceError(`${name}: column ${index + 1} of ${record.length} has no name in the header`)
    }
    if (seen.has(column)) throw new SourceError(`${name}: the header names "${column}" twice`)
    seen.add(column)
    return column
  })
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
