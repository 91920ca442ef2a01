import { SourceError } from './source-error.ts'

/** How a CSV file is written. Every character is one of ASCII, as for `COPY`. */
export interface Dialect {
  readonly delimiter: string
  /** The character around fields; undefined: fields are never quoted, and a quote is a character like any other. */
  readonly quote: string | undefined
  /** The character before a quote inside quotes. */
  readonly escape: string | undefined
  /** False: the first record is data, and the columns are called column1, column2 and so on. */
  readonly header: boolean
  /** The unquoted texts that mean NULL. */
  readonly nulls: readonly string[]
  /** Lines that begin with it are skipped. */
  readonly comment: string | undefined
}

export type DialectOptions = { readonly [Key in keyof Dialect]?: Dialect[Key] | undefined }

/** Fills in what was not said; of the delimiter only the file can tell. */
export function resolveDialect(options: DialectOptions, delimiter: string): Dialect {
  const quote = 'quote' in options ? options.quote : '"'
  return {
    delimiter,
    quote,
    escape: quote === undefined ? undefined : (options.escape ?? quote),
    header: options.header ?? true,
    nulls: options.nulls ?? [''],
    comment: options.comment,
  }
}

/** Candidates for the delimiter; of those that come equally often the first is taken. */
const DELIMITERS = [',', '\t', ';', '|'] as const

/** Lines longer than that decide by what came so far. */
const SNIFFED_BYTES = 64 * 1024

/** True once `sniffDelimiter` sees a whole line that is no comment. */
export function showsLine(head: Buffer, comment: string | undefined): boolean {
  return head.length >= SNIFFED_BYTES || firstLine(head.toString('latin1'), comment).ended
}

/** The delimiter that comes most often in the first line, outside quotes; a comma when there is none. */
export function sniffDelimiter(head: Buffer, { quote = '"', comment }: DialectOptions, name: string): string {
  const { line } = firstLine(head.toString('latin1'), comment)
  if (line.includes('\0')) {
    throw new SourceError(`${name}: it has NUL bytes; if it is UTF-16, say so with --encoding utf-16le`)
  }
  const plain = line.split(quote).filter((_, index) => index % 2 === 0)
  const times = DELIMITERS.map(delimiter => plain.join('').split(delimiter).length)
  return DELIMITERS[times.indexOf(Math.max(...times))]!
}

/** What a message calls a delimiter. */
export function delimiterName(delimiter: string): string {
  return { '\t': 'tabs', ';': 'semicolons', '|': 'pipes', ',': 'commas' }[delimiter] ?? `"${delimiter}"`
}

function firstLine(text: string, comment: string | undefined): { line: string; ended: boolean } {
  const lines = text.split(/\r\n|\n|\r/)
  const index = lines.findIndex(line => line !== '' && !(comment && line.startsWith(comment)))
  return index < 0 ? { line: '', ended: false } : { line: lines[index]!, ended: index < lines.length - 1 }
}
