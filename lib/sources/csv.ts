import { CsvError, type InfoRecord, Parser } from 'csv-parse'
import { type Field, fieldReader } from './csv-fields.ts'
import type { Dialect } from './dialect.ts'
import { MAX_RECORD_BYTES, type SourceRow, setOwn } from './rows.ts'
import { SourceError } from './source-error.ts'

/**
 * Bytes of CSV in, one object a record out, every value a string or null. As in `\copy … csv`, an unquoted empty field
 * (or what the dialect says instead) is NULL and a quoted one is the empty string. Without a header the columns
 * are called column1, column2 and so on.
 * @see https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-CSV-FORMAT
 */
export function readCsv(name: string, dialect: Dialect, onHeader: (columns: string[]) => void): Parser {
  const { delimiter, quote, comment } = dialect
  const fieldsOf = fieldReader(dialect)
  const emptyQuotes = quote === undefined ? '""' : quote + quote
  let header: string[] | undefined

  function take({ record, raw }: RawRecord, { lines }: InfoRecord): SourceRow | undefined {
    const blank = record.length === 1 && record[0] === '' && !raw.trimEnd().endsWith(emptyQuotes)
    if (header) return toRow(header, fieldsOf(record, raw), blank, lines)
    if (blank) return undefined
    header = dialect.header ? checkedHeader(record, name) : record.map((_, index) => `column${index + 1}`)
    onHeader(header)
    return dialect.header ? undefined : toRow(header, fieldsOf(record, raw), blank, lines)
  }

  function toRow(
    header: readonly string[],
    record: readonly Field[],
    blank: boolean,
    line: number,
  ): SourceRow | undefined {
    if (record.length !== header.length) {
      if (blank) return undefined
      const expected = `the ${dialect.header ? 'header' : 'first'} has ${header.length}`
      const has = `has ${count(record.length, 'field')}, ${expected}`
      throw new SourceError(`${name}: the record that ends on line ${line} ${has}`)
    }
    const row: SourceRow = {}
    for (let i = 0; i < header.length; i++) setOwn(row, header[i]!, record[i])
    return row
  }

  return new CsvReader(name, {
    delimiter,
    quote: quote ?? null,
    escape: dialect.escape ?? null,
    ...(comment === undefined ? {} : { comment, comment_no_infix: true }),
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
  INVALID_OPENING_QUOTE:
    'has a quote inside an unquoted field (say --quote none if quotes mean nothing in it)',
  CSV_MAX_RECORD_SIZE: 'begins a record of more than 64 MiB; is a quote left open?',
}

function checkedHeader(record: readonly string[], name: string): string[] {
  const seen = new Set<string>()
  return record.map((column, index) => {
    if (column.trim() === '') {
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
