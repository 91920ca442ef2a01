import { isUtf8 } from 'node:buffer'
import { type Readable, Transform } from 'node:stream'
import { plural } from '../../values/format-count.ts'
import { notUtf8 } from '../input/not-utf8.ts'
import { faultOf, malformedRow } from '../malformed.ts'
import { pushAll } from '../push-all.ts'
import type { RowLines } from '../row-lines.ts'
import { type SourceRow, setOwn } from '../rows.ts'
import { MalformedRecord, SourceError } from '../source-error.ts'
import {
  checkLine,
  END_OF_DATA,
  isEscaped,
  LineError,
  STRAY_RETURN,
  splitFields,
  unescaped,
} from './fields.ts'
import { type CopyLine, LineCutter } from './line-cutter.ts'

export interface CopyTextOptions {
  readonly delimiter: string
  /** The texts that mean NULL, as the file has them, with their backslashes. */
  readonly nulls: readonly string[]
  /** The first line names the columns. */
  readonly header: boolean
  /** Return a `malformedRow` for a line that is not a row, instead of failing. @default false */
  readonly keepsMalformed?: boolean | undefined
  /** The encoding of the file, for messages. @default UTF-8 */
  readonly encoding?: string | undefined
  /** Takes the line of each row. */
  readonly rowLines?: RowLines | undefined
}

/**
 * Reads COPY's text format: bytes in, one object for each line out. Every value is a string or null.
 * @param onHeader called before the first row comes
 * @see https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2
 */
export function readCopyText(
  name: string,
  options: CopyTextOptions,
  onHeader: (header: readonly string[], rows: Readable) => void,
): Transform {
  const lines = new LineCutter(name)
  const parser = new LineParser(name, options, header => onHeader(header, stream))
  const stream = new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      pushAll(this, parser.rowsOf(lines.cut(chunk, false)), done)
    },
    flush(done) {
      pushAll(this, parser.lastRowsOf(lines.cut(Buffer.alloc(0), true)), done)
    },
  })
  return stream
}

/** Makes rows of lines. The first line that can be read has the header, or as many fields as each row. */
class LineParser {
  readonly #name: string
  readonly #options: CopyTextOptions
  readonly #onHeader: (header: readonly string[]) => void
  #header: readonly string[] | undefined
  /** Malformed lines before the first one that has fields. */
  #leading: SourceRow[] = []
  #isOver = false

  constructor(name: string, options: CopyTextOptions, onHeader: (header: readonly string[]) => void) {
    this.#name = name
    this.#options = options
    this.#onHeader = onHeader
  }

  *rowsOf(lines: Iterable<CopyLine>): Generator<SourceRow> {
    for (const line of lines) {
      const row = this.#rowOf(line)
      if (row === undefined) continue
      this.#options.rowLines?.add(line.number)
      if (this.#header === undefined) {
        this.#leading.push(row)
        continue
      }
      if (this.#leading.length > 0) yield* this.#leading.splice(0)
      yield row
    }
  }

  *lastRowsOf(lines: Iterable<CopyLine>): Generator<SourceRow> {
    yield* this.rowsOf(lines)
    const [first] = this.#leading
    if (first) throw new SourceError(`${this.#name}: ${faultOf(first)}`)
  }

  /** Returns undefined for a line without a row: the header, and the end of the data. */
  #rowOf(line: CopyLine): SourceRow | undefined {
    const { header: hasHeader, keepsMalformed = false, encoding = 'UTF-8' } = this.#options
    const { bytes } = line
    try {
      if (!isUtf8(bytes)) throw new LineError(`is not valid ${encoding}`)
      const text = textOf(line)
      if (this.#isOver) throw new LineError(`follows "${END_OF_DATA}", which ends the data`)
      if (text !== END_OF_DATA) return this.#parse(splitFields(text, this.#options.delimiter))
      this.#isOver = true
      return undefined
    } catch (error) {
      if (!(error instanceof LineError)) throw error
      const fault = `line ${line.number} ${error.message}`
      if (keepsMalformed && (this.#header !== undefined || !hasHeader)) return malformedRow(bytes, fault)
      throw isUtf8(bytes) ? new MalformedRecord(`${this.#name}: ${fault}`) : notUtf8(this.#name, fault, bytes)
    }
  }

  /** @param fields still escaped */
  #parse(fields: readonly string[]): SourceRow | undefined {
    const isHeader = this.#header === undefined && this.#options.header
    this.#header ??= this.#takeHeader(fields)
    if (isHeader) return undefined
    const header = this.#header
    if (fields.length !== header.length) {
      throw new LineError(`has ${plural(fields.length, 'field')}, the file has ${header.length} columns`)
    }
    const row: SourceRow = {}
    for (const [index, field] of fields.entries()) {
      setOwn(row, header[index]!, this.#options.nulls.includes(field) ? null : unescaped(field))
    }
    return row
  }

  #takeHeader(fields: readonly string[]): readonly string[] {
    const texts = fields.map(unescaped)
    const header = this.#options.header ? uniqueNames(texts) : fields.map((_, index) => `column${index + 1}`)
    this.#onHeader(header)
    return header
  }
}

/** Returns the line without its end. @throws LineError for line ends inside it */
function textOf({ bytes, end }: CopyLine): string {
  const text = bytes.toString()
  const needsReturn = end === '\r\n'
  const hasReturn = needsReturn && text.endsWith('\r') && !isEscaped(text, 0, text.length - 1)
  const line = hasReturn ? text.slice(0, -1) : text
  checkLine(line)
  if (needsReturn && !hasReturn && line !== END_OF_DATA) throw new LineError(STRAY_RETURN)
  return line
}

function uniqueNames(names: readonly string[]): readonly string[] {
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw new LineError(`names the column "${twice}" twice`)
  return names
}
