import type { Duplex, Readable } from 'node:stream'
import { readCopyText } from '../copy-text/read-copy-text.ts'
import { readCsv } from '../csv/csv.ts'
import { describeCsv } from '../csv/describe-csv.ts'
import { type Dialect, type DialectOptions, delimiterName, resolveDialect } from '../csv/dialect.ts'
import { excelDelimiter, showsExcelLine } from '../csv/excel-line.ts'
import { foldDelimiter, isLong } from '../csv/fold-delimiter.ts'
import { FOLDED } from '../csv/folded-part.ts'
import type { Records } from '../csv/record-rows.ts'
import { rowsOf } from '../csv/record-rows.ts'
import { skipLines } from '../csv/skip-lines.ts'
import { type ChosenDialect, chooseDialect, SAMPLE_BYTES, showsDialect } from '../csv/sniff/choose-dialect.ts'
import { checkTabs } from '../csv/sniff/find-dialect.ts'
import { sampleRecords } from '../csv/sniff/sample-records.ts'
import { widthOf } from '../csv/sniff/usual-width.ts'
import { type Format, isBlank, showsFormat, sniffFormat } from '../format.ts'
import { type Peeked, peek } from '../input/bytes.ts'
import type { Encoding } from '../input/encoding.ts'
import { checkUtf8 } from '../input/not-utf8.ts'
import { readJsonDocuments } from '../json/json-documents.ts'
import { judgeShape, showsLine, showsRow, showsShape } from '../json/json-shape.ts'
import { loadLineScanner } from '../json/lines/line-scanner.ts'
import { readNdjson, rowsOfLines } from '../json/ndjson.ts'
import { recordPathText } from '../json/record-path.ts'
import { RowLines } from '../row-lines.ts'
import type { Source } from '../source.ts'
import { EmptyInput } from '../source-error.ts'
import { connect } from './connect.ts'
import type { SourceOptions } from './source-options.ts'

export interface TextInput {
  readonly name: string
  readonly encoding: Encoding
  readonly live: boolean
  readonly options: SourceOptions
}

/** A text that becomes rows. */
export class TextSource {
  readonly notes: string[] = []
  readonly #name: string
  readonly #encoding: Encoding
  readonly #live: boolean
  readonly #options: SourceOptions
  #text: Readable
  /** What was detected about a CSV file. */
  #found: Pick<ChosenDialect, 'chosen' | 'headerFault' | 'sampled'> = {
    chosen: undefined,
    headerFault: undefined,
    sampled: [],
  }
  /** The lines of rows that do not come in records, which know them. */
  readonly #rowLines = new RowLines()
  /** Lines of the file that are not read. */
  #skipped = 0

  constructor({ name, encoding, live, options }: TextInput, text: Readable) {
    this.#name = name
    this.#text = text
    this.#encoding = encoding
    this.#live = live
    this.#options = options
  }

  async as(named: Format | undefined): Promise<Source> {
    const format = named ?? (await this.#format())
    if (format === 'csv' || format === 'tsv') return this.#csv(await this.#dialect(format))
    if (format === 'text') return this.#copyText()
    return named === 'ndjson' && !this.#options.recordPath ? this.#namedLines() : this.#json()
  }

  /** Reads lines, if there are any: a pipe without a line may be that of a program that failed. */
  async #namedLines(): Promise<Source> {
    const { head, whole, ended } = await peek(this.#text, showsFormat)
    this.#text = whole
    if (ended && isBlank(head)) throw new EmptyInput(this.#name)
    return this.#lines()
  }

  /** Reads JSON, whose lines may be objects or parts of them. */
  async #json(): Promise<Source> {
    const { format: asked, recordPath, keepsMalformed } = this.#options
    const quiet = { ms: QUIET_MS, enough: showsLine }
    const enough = (head: Buffer) => showsShape(head) || (this.#live && showsRow(head))
    const { head, ended } = await this.#peek(enough, this.#live ? quiet : undefined)
    if (ended && isBlank(head)) throw new EmptyInput(this.#name)
    const start = { text: head.toString(), isWhole: ended }
    const judging = { shape: asked === 'json' ? 'documents' : undefined, keepsMalformed } as const
    const shape = recordPath ? 'documents' : judgeShape(start, this.#name, judging)
    if (shape === 'lines') return this.#lines()
    const options = { recordPath, beginning: start.text, keepsMalformed, rowLines: this.#rowLines }
    const rows = connect(this.#text, readJsonDocuments(this.#name, options))
    const at = recordPath ? `, records at ${recordPathText(recordPath)}` : ''
    return this.#rowSource('json', rows, `json, ${this.#encoding}${at}`)
  }

  get #encodingName(): string {
    return this.#encoding === 'utf-8' ? 'UTF-8' : this.#encoding
  }

  #lines(): Source {
    const { keepsMalformed, batchRows = BATCH_ROWS } = this.#options
    const reading = { keepsMalformed, batchRows, fill: !this.#live, rowLines: this.#rowLines }
    const options = { ...reading, scanner: loadLineScanner() }
    const lines = connect(this.#text, readNdjson(this.#name, options))
    return { ...this.#rowSource('ndjson', rowsOfLines(lines), `ndjson, ${this.#encoding}`), lines }
  }

  #rowSource(format: 'json' | 'ndjson', rows: Readable, description: string): Source {
    const { lineOf } = this.#rowLines
    return { name: this.#name, format, rows, lineOf, notes: this.notes, live: this.#live, description }
  }

  async #format(): Promise<Format> {
    const { head } = await this.#peek(showsFormat)
    // blank lines are rows if there is no header
    if (this.#options.dialect?.header === false && head.length > 0 && isBlank(head)) return 'csv'
    return sniffFormat(head, this.#name)
  }

  async #peek(enough: (head: Buffer) => boolean, quiet?: Parameters<typeof peek>[2]): Promise<Peeked> {
    const peeked = await peek(this.#text, enough, quiet)
    this.#text = peeked.whole
    if (!this.#options.keepsMalformed) checkUtf8(peeked.head, this.#name, this.#skipped)
    return peeked
  }

  async #dialect(format: 'csv' | 'tsv'): Promise<Dialect> {
    const { dialect: named = {}, judgesHeader = false, preferredDelimiter: preferred } = this.#options
    this.#skip(this.#options.skipLines ?? 0)
    const asked = this.#folded(named)
    const isByName = format === 'tsv' && this.#options.format === undefined
    if (isByName && asked.delimiter === undefined) {
      const { head, ended } = await this.#sample(asked)
      checkTabs({ text: head.toString(), isWhole: ended }, asked, this.#name)
    }
    const excel = await this.#skipExcelLine(asked.delimiter)
    const known = asked.delimiter ?? excel ?? (format === 'tsv' ? '\t' : undefined)
    const isJudged = (judgesHeader && asked.header === undefined) || this.#options.lenient
    if (known !== undefined && !isJudged) return this.#sampled(resolveDialect(asked, known))
    // what is set is not detected; if the delimiter is set, the quote is the usual one
    const options = known === undefined ? asked : { quote: '"', ...asked, delimiter: known }
    const { head, ended } = await this.#sample(options)
    const found = chooseDialect(
      { text: head.toString(), isWhole: ended },
      {
        options,
        judgesHeader,
        preferred,
        skipsTitle: this.#options.fitsHeader ?? false,
        hasTallHeader: (this.#options.headerLines ?? 1) > 1,
        hasDecimalCommas: this.#options.hasDecimalCommas ?? false,
      },
      this.#name,
    )
    this.#found = found
    this.#skip(found.titleLines)
    return found.dialect
  }

  /**
   * Returns the dialect, after a look at the first records of a file without a header: the very first one
   * may be malformed, and does not decide how many fields there are. The rows of a live input do not wait
   * for others.
   */
  async #sampled(dialect: Dialect): Promise<Dialect> {
    if (dialect.header || this.#live) return dialect
    const { head, ended } = await this.#sample(dialect)
    this.#found = { ...this.#found, sampled: sampleRecords(String(head), dialect, ended) }
    return dialect
  }

  /**
   * Skips a first line `sep=;`, and returns the delimiter that it names.
   * @param named the delimiter of the options. If it is another one, the line is not skipped, and is an error
   */
  async #skipExcelLine(named: string | undefined): Promise<string | undefined> {
    if (this.#options.strictHeader) return undefined
    const { head } = await this.#peek(showsExcelLine)
    const delimiter = excelDelimiter(head.toString().split(/\r\n|\n|\r/, 1)[0]!)
    if (delimiter === undefined || (named ?? delimiter) !== delimiter) return undefined
    this.#skip(1)
    this.notes.push(`${this.#name}: its first line names the delimiter (sep=${delimiter}) and is skipped`)
    return delimiter
  }

  #skip(lines: number): void {
    if (lines === 0) return
    this.#text = connect(this.#text, skipLines(this.#name, lines))
    this.#skipped += lines
  }

  /** Replaces a delimiter of several bytes by one byte, before anything else reads the text. */
  #folded(options: DialectOptions): DialectOptions {
    const { delimiter } = options
    if (delimiter === undefined || !isLong(delimiter)) return options
    this.#text = connect(this.#text, foldDelimiter(this.#name, delimiter, options))
    return { ...options, delimiter: FOLDED }
  }

  /**
   * Reads a sample. If a pipe falls silent, the sample is what has come: another program may wait for its
   * rows.
   */
  #sample(options: DialectOptions): Promise<Peeked> {
    const quiet = { ms: QUIET_MS, enough: (head: Buffer) => showsDialect(head, options) }
    return this.#peek(head => head.length >= SAMPLE_BYTES, this.#live ? quiet : undefined)
  }

  async #copyText(): Promise<Source> {
    const { delimiter = '\t', nulls = ['\\N'], header: hasHeader = false } = this.#options.dialect ?? {}
    const { keepsMalformed } = this.#options
    const [name, live] = [this.#name, this.#live]
    const rowLines = this.#rowLines
    const reading = { delimiter, nulls, header: hasHeader, keepsMalformed, rowLines }
    const options = { ...reading, encoding: this.#encodingName }
    const found = await this.#untilHeader<Pick<Source, 'header' | 'rows'>>(onHeader =>
      readCopyText(name, options, (header, rows) => onHeader({ header, rows })),
    )
    const words = `${delimiterName(delimiter)} between fields, ${hasHeader ? 'a' : 'no'} header`
    const description = `text of COPY, ${this.#encoding}, ${words}`
    const { lineOf } = rowLines
    return {
      name,
      format: 'csv',
      headless: !hasHeader,
      lineOf,
      notes: this.notes,
      live,
      ...found,
      description,
    }
  }

  async #csv(dialect: Dialect): Promise<Source> {
    const [name, live] = [this.#name, this.#live]
    const { batchRows = BATCH_ROWS, dialect: asked = {}, keepsMalformed, lenient, repairs } = this.#options
    const { headerLines, fitsHeader, strictHeader, judgesHeader, csvBatch } = this.#options
    const { chosen, sampled } = this.#found
    const reading = {
      ...{ fill: !live, keepsMalformed, lenient, repairs, encoding: this.#encodingName },
      batchRows: csvBatch?.rows ?? batchRows,
      batchBytes: csvBatch?.bytes,
      headerLines,
      width: dialect.header ? undefined : widthOf(sampled, this.#options.expectedWidth),
      fitsNames: fitsHeader,
      linesBefore: this.#skipped,
      longDelimiter: dialect.delimiter === FOLDED ? asked.delimiter : undefined,
      headerFault: strictHeader ? undefined : this.#found.headerFault,
      sampled,
    }
    const nothing = dialect.header ? 'there is nothing in it, not even a header' : undefined
    const records = await this.#untilHeader<Records>(
      onHeader => readCsv(name, dialect, reading, onHeader),
      nothing,
    )
    const { header, unnamed, isLastUnnamed } = records
    // of a delimiter that is wrong, a table of one column would be made without a word
    if (judgesHeader && asked.delimiter !== undefined && header.length === 1) {
      this.notes.push(`${name}: one column: ${delimiterName(asked.delimiter)} separate nothing in it`)
    }
    return {
      ...{ name, format: 'csv', header, headless: !dialect.header, unnamed, isLastUnnamed },
      rows: rowsOf(records, () => name),
      records,
      notes: [...this.notes, ...records.notes.map(note => `${name}: ${note}`)],
      ...{
        chosen,
        live,
        description: describeCsv(dialect, {
          ...this.#options,
          encoding: this.#encoding,
          skipped: this.#skipped,
        }),
      },
    }
  }

  /**
   * Connects the text to a reader, and resolves to what the reader passes to `onHeader`.
   * @throws EmptyInput when the text ends before; the reader's error
   */
  #untilHeader<Found>(
    makeReader: (onHeader: (found: Found) => void) => Duplex,
    nothing?: string,
  ): Promise<Found> {
    return new Promise((resolve, reject) => {
      const reader = makeReader(found => {
        reader.off('error', reject).off('end', noHeader).off('readable', nudge)
        resolve(found)
      })
      const nudge = () => reader.readableLength === 0 && reader.read() // lets an empty file reach its end
      const noHeader = () => reject(new EmptyInput(this.#name, nothing))
      connect(this.#text, reader)
      reader.once('error', reject).once('end', noHeader).on('readable', nudge)
    })
  }
}

/** A pipe is silent after this many milliseconds without a byte. */
const QUIET_MS = 500

/** Records in an array, which share the cost of passing an array on. */
const BATCH_ROWS = 1000
