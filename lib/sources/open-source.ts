import { isUtf8 } from 'node:buffer'
import { pipeline, type Readable } from 'node:stream'
import { formatCount, plural } from '../values/format-count.ts'
import { readCopyText } from './copy-text.ts'
import { readCsv } from './csv/csv.ts'
import {
  type Dialect,
  type DialectOptions,
  delimiterName,
  delimiterWord,
  resolveDialect,
} from './csv/dialect.ts'
import { excelDelimiter, showsExcelLine } from './csv/excel-line.ts'
import { FOLDED, foldDelimiter, isLong } from './csv/fold-delimiter.ts'
import { rowsOf } from './csv/record-rows.ts'
import { skipLines } from './csv/skip-lines.ts'
import {
  type ChosenDialect,
  chooseDialect,
  hasCopyNull,
  looksLikeCopyText,
  SAMPLE_BYTES,
  showsDialect,
} from './csv/sniff/choose-dialect.ts'
import { sniffDialect } from './csv/sniff/sniff-dialect.ts'
import { type Format, formatOfName, isBlank, refuseBinary, showsFormat, sniffFormat } from './format.ts'
import { nameOf, openBytes, type Peeked, peek } from './input/bytes.ts'
import { chooseEncoding, type Encoding, toUtf8 } from './input/encoding.ts'
import { firstBadByte, notUtf8, wholeLength } from './input/not-utf8.ts'
import { isRereadable } from './input/raw-input.ts'
import type { Spool } from './input/spool.ts'
import { readJsonDocuments } from './json/json-documents.ts'
import { judgeShape, showsLine, showsRow, showsShape } from './json/json-shape.ts'
import { readNdjson } from './json/ndjson.ts'
import { type RecordPath, recordPathText } from './json/record-path.ts'
import { isParquetFile, packedParquet, parquetInPipe, SHOWING_BYTES, showsParquet } from './parquet/magic.ts'
import { openParquet } from './parquet/open-parquet.ts'
import type { Repairs } from './repairs.ts'
import { refuseForeign, showsArchive } from './signatures.ts'
import type { Source } from './source.ts'
import { EmptyInput, SourceError } from './source-error.ts'

export type { Source, SourceColumn } from './source.ts'

export interface SourceOptions {
  /** Default: by the file's extension, otherwise by its first character. */
  format?: Format | undefined
  /** Default: UTF-16 if there is its byte order mark, otherwise UTF-8. */
  encoding?: Encoding | undefined
  /** How CSV is written. A delimiter and a quote that are not set are detected from the first records. */
  dialect?: DialectOptions
  /** Detect whether CSV has a header, unless the dialect sets it. @default false: it has one */
  judgesHeader?: boolean
  /** The delimiter to choose if two fit equally. */
  preferredDelimiter?: string | undefined
  /** The maximum of records in an array of `Source.records`. @default 1000 */
  batchRows?: number | undefined
  /** Default: the process's. */
  stdin?: Readable
  /** Called with each stream of bytes whose rows are read, as it comes from the disk or the pipe. */
  onOpen?: (raw: Readable) => void
  /** Keeps the bytes of inputs that can be read only once, if they are read more often. */
  spool?: Spool
  /** Malformed records are handed on, to be rejected, instead of failing the reading. @default false */
  keepsMalformed?: boolean
  /** Repair records of CSV where there is no doubt about what they mean. @default false */
  lenient?: boolean | undefined
  /** Lines at the beginning of a CSV file that are skipped. @default 0 */
  skipLines?: number | undefined
  /** The records of its header, whose texts are joined. @default 1 */
  headerLines?: number | undefined
  /** Fit the header to be columns: make names, and skip a title above it. @default false: they are errors */
  fitsHeader?: boolean
  /** A first line `sep=;` is an error. @default false: it names the delimiter */
  strictHeader?: boolean | undefined
  /** The keys that lead from each JSON document to its records. Default: the document, or its elements */
  recordPath?: RecordPath | undefined
  /** Counts the repairs. */
  repairs?: Repairs | undefined
  /** The files are opened more than once. @default several files are */
  reopened?: boolean
}

/** Opens a file (`-`: standard input) and, for CSV and Parquet, reads the names of its columns. */
export async function openSource(file: string, options: SourceOptions = {}): Promise<Source> {
  const rereadable = await isRereadable(file)
  if (await isParquet(file, rereadable, options.format)) {
    const source = await openParquet(file)
    options.onOpen?.(source.rows)
    return source
  }
  const name = nameOf(file)
  const bytes = await openBytes(file, options)
  const live = !rereadable && !options.spool?.has(file)
  const { head, whole } = await peek(bytes, showsMark)
  try {
    if (showsParquet(head)) throw await misplacedParquet(file, rereadable, options.format)
    refuseForeign(head, name, file === '-' ? undefined : file)
    const encoding = chooseEncoding(head, options.encoding, name)
    const named = options.format ?? (file === '-' ? undefined : formatOfName(file))
    if (!named && encoding === 'utf-8') refuseBinary(head, name)
    const text = connect(whole, toUtf8(name, encoding, options.keepsMalformed))
    const read = new TextSource({ name, encoding, live, options }, text)
    if (!options.encoding && encoding !== 'utf-8') {
      read.notes.push(`${name}: read as ${encoding.toUpperCase()}, as its byte order mark says`)
    }
    return await read.as(named)
  } catch (error) {
    whole.destroy()
    throw error
  }
}

/** Decides by the format that was set, otherwise by the bytes, otherwise by the name. */
async function isParquet(file: string, rereadable: boolean, format: Format | undefined): Promise<boolean> {
  if (rereadable) {
    return format ? format === 'parquet' : (await isParquetFile(file)) || formatOfName(file) === 'parquet'
  }
  if (format === 'parquet') throw parquetInPipe(nameOf(file))
  return false
}

/** Returns why Parquet's bytes cannot be read here. */
async function misplacedParquet(
  file: string,
  rereadable: boolean,
  format: Format | undefined,
): Promise<SourceError> {
  const name = nameOf(file)
  if (!rereadable) return parquetInPipe(name)
  if (!(await isParquetFile(file))) return packedParquet(name)
  return new SourceError(`${name}: it is a Parquet file, not ${format}`, { hint: 'leave out --format' })
}

/** Returns true if the bytes are enough to recognise a byte order mark, Parquet, or an archive. */
function showsMark(head: Buffer): boolean {
  const needed = head.toString('latin1', 0, 3) === 'PAR' ? SHOWING_BYTES : MAX_MARK_BYTES
  return head.length >= needed && showsArchive(head)
}

/**
 * The length of UTF-8's mark. An object with a line end, `{}\n`, is as long, so that a line by itself is read
 * at once.
 */
const MAX_MARK_BYTES = 3

interface TextInput {
  readonly name: string
  readonly encoding: Encoding
  readonly live: boolean
  readonly options: SourceOptions
}

/** A text that becomes rows. */
class TextSource {
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
    return named === 'ndjson' && !this.#options.recordPath ? this.#lines() : this.#json()
  }

  /** Reads JSON, whose lines may be objects or parts of them. */
  async #json(): Promise<Source> {
    const { format: asked, recordPath, keepsMalformed } = this.#options
    const quiet = { ms: QUIET_MS, enough: showsLine }
    const enough = (head: Buffer) => showsShape(head) || (this.#live && showsRow(head))
    const { head, ended } = await this.#peek(enough, this.#live ? quiet : undefined)
    if (ended && isBlank(head)) throw new EmptyInput(this.#name)
    const start = { text: head.toString(), isWhole: ended }
    const asDocuments = asked === 'json' ? 'documents' : undefined
    const shape = recordPath ? 'documents' : judgeShape(start, this.#name, asDocuments)
    if (shape === 'lines') return this.#lines()
    const rows = connect(this.#text, readJsonDocuments(this.#name, { recordPath, keepsMalformed }))
    const at = recordPath ? `, records at ${recordPathText(recordPath)}` : ''
    return this.#rowSource('json', rows, `json, ${this.#encoding}${at}`)
  }

  get #encodingName(): string {
    return this.#encoding === 'utf-8' ? 'UTF-8' : this.#encoding
  }

  #lines(): Source {
    const rows = connect(this.#text, readNdjson(this.#name, this.#options.keepsMalformed))
    return this.#rowSource('ndjson', rows, `ndjson, ${this.#encoding}`)
  }

  #rowSource(format: 'json' | 'ndjson', rows: Readable, description: string): Source {
    return { name: this.#name, format, rows, notes: this.notes, live: this.#live, description }
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
    if (!this.#options.keepsMalformed) this.#checkUtf8(peeked.head)
    return peeked
  }

  /** Throws if a head is not UTF-8. Otherwise a dialect might be judged by it. */
  #checkUtf8(head: Buffer): void {
    const whole = head.subarray(0, wholeLength(head))
    if (isUtf8(whole)) return
    const before = whole.toString('latin1', 0, firstBadByte(whole))
    const line = this.#skipped + before.split(/\r\n|\n|\r/).length
    throw notUtf8(this.#name, `line ${formatCount(line)} is not valid UTF-8`, whole)
  }

  async #dialect(format: 'csv' | 'tsv'): Promise<Dialect> {
    const { dialect: named = {}, judgesHeader = false, preferredDelimiter: preferred } = this.#options
    this.#skip(this.#options.skipLines ?? 0)
    const asked = this.#folded(named)
    const isByName = format === 'tsv' && this.#options.format === undefined
    if (isByName && asked.delimiter === undefined) await this.#checkTabs(asked)
    const excel = await this.#skipExcelLine(asked.delimiter)
    const known = asked.delimiter ?? excel ?? (format === 'tsv' ? '\t' : undefined)
    const isJudged = (judgesHeader && asked.header === undefined) || this.#options.lenient
    if (known !== undefined && !isJudged) return resolveDialect(asked, known)
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
      },
      this.#name,
    )
    this.#found = found
    this.#skip(found.titleLines)
    return found.dialect
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
    this.#text = connect(this.#text, skipLines(lines))
    this.#skipped += lines
  }

  /** Replaces a delimiter of several bytes by one byte, before anything else reads the text. */
  #folded(options: DialectOptions): DialectOptions {
    const { delimiter } = options
    if (delimiter === undefined || !isLong(delimiter)) return options
    this.#text = connect(this.#text, foldDelimiter(this.#name, delimiter, options))
    return { ...options, delimiter: FOLDED }
  }

  /** Throws if a file is named .tsv, but has no tab, and another delimiter fits. */
  async #checkTabs(options: DialectOptions): Promise<void> {
    const { head, ended } = await this.#sample(options)
    if (options.nulls === undefined && hasCopyNull(String(head))) throw looksLikeCopyText(this.#name)
    const verdict = head.includes('\t')
      ? undefined
      : sniffDialect({ text: String(head), isWhole: ended }, options)
    if (verdict?.kind !== 'found') return
    const { delimiter } = verdict.dialect
    throw new SourceError(
      `${this.#name}: its name says tabs between fields, and its records have ${delimiterName(delimiter)}`,
      { hint: `say which, with --delimiter ${delimiterWord(delimiter)} or --delimiter tab` },
    )
  }

  /**
   * Reads a sample. If a pipe falls silent, the sample is what has come: another program may wait for its
   * rows.
   */
  #sample(options: DialectOptions): Promise<Peeked> {
    const quiet = { ms: QUIET_MS, enough: (head: Buffer) => showsDialect(head, options) }
    return this.#peek(head => head.length >= SAMPLE_BYTES, this.#live ? quiet : undefined)
  }

  #copyText(): Promise<Source> {
    const { delimiter = '\t', nulls = ['\\N'], header: hasHeader = false } = this.#options.dialect ?? {}
    const { notes } = this
    const [name, live] = [this.#name, this.#live]
    const words = `${delimiterName(delimiter)} between fields, ${hasHeader ? 'a' : 'no'} header`
    const common = { name, format: 'csv', headless: !hasHeader, notes, live } as const
    const description = `text of COPY, ${this.#encoding}, ${words}`
    return new Promise((resolve, reject) => {
      const { keepsMalformed } = this.#options
      const encoding = this.#encodingName
      const options = { delimiter, nulls, header: hasHeader, keepsMalformed, encoding }
      const reader = readCopyText(name, options, (header, rows) => {
        reader.off('error', reject).off('end', nothing).off('readable', nudge)
        resolve({ ...common, header, rows, description })
      })
      const nudge = () => reader.readableLength === 0 && reader.read() // lets an empty file reach its end
      const nothing = () => reject(new EmptyInput(name))
      connect(this.#text, reader)
      reader.once('error', reject).once('end', nothing).on('readable', nudge)
    })
  }

  #csv(dialect: Dialect): Promise<Source> {
    const name = this.#name
    const live = this.#live
    const { batchRows = BATCH_ROWS, dialect: asked = {}, keepsMalformed, lenient, repairs } = this.#options
    const { headerLines, fitsHeader, strictHeader } = this.#options
    const { chosen, sampled } = this.#found
    const headerFault = strictHeader ? undefined : this.#found.headerFault
    const longDelimiter = dialect.delimiter === FOLDED ? asked.delimiter : undefined
    const encoding = this.#encodingName
    const kept = { batchRows, fill: !live, keepsMalformed, lenient, repairs, encoding }
    const reading = {
      ...kept,
      headerLines,
      fitsNames: fitsHeader,
      linesBefore: this.#skipped,
      longDelimiter,
      headerFault,
      sampled,
    }
    return new Promise((resolve, reject) => {
      const reader = readCsv(name, dialect, reading, records => {
        reader.off('error', reject).off('end', noHeader).off('readable', nudge)
        const { header, unnamed, isLastUnnamed } = records
        const headless = !dialect.header
        const fields = `${delimiterName(asked.delimiter ?? dialect.delimiter)} between fields`
        const quotes = dialect.quote === "'" && !('quote' in asked) ? ', apostrophes around them' : ''
        const head = headless
          ? 'no header'
          : headerLines
            ? `a header of ${plural(headerLines, 'line')}`
            : 'a header'
        const skipped = this.#skipped > 0 ? `, ${plural(this.#skipped, 'line')} skipped` : ''
        const repairing = lenient ? ', lenient' : ''
        const description = `csv, ${this.#encoding}, ${fields}${quotes}, ${head}${skipped}${repairing}`
        const rows = rowsOf(records, () => name)
        const notes = [...this.notes, ...records.notes.map(note => `${name}: ${note}`)]
        resolve({
          name,
          format: 'csv',
          header,
          headless,
          unnamed,
          isLastUnnamed,
          rows,
          records,
          notes,
          chosen,
          live,
          description,
        })
      })
      const nothing = dialect.header ? 'there is nothing in it, not even a header' : undefined
      const nudge = () => reader.readableLength === 0 && reader.read() // lets an empty file reach its end
      const noHeader = () => reject(new EmptyInput(name, nothing))
      connect(this.#text, reader)
      reader.once('error', reject).once('end', noHeader)
      reader.on('readable', nudge)
    })
  }
}

/** A pipe is silent after this many milliseconds without a byte. */
const QUIET_MS = 500

/** Records in an array, which share the cost of passing an array on. */
const BATCH_ROWS = 1000

/**
 * Connects bytes to their reader. An error of any stream destroys the reader, which the caller's pipeline
 * ends with.
 */
function connect<R extends NodeJS.ReadWriteStream & Readable>(bytes: Readable, reader: R): R {
  pipeline(bytes, reader, () => {})
  return reader
}
