import { shellWord } from '../shell-word.ts'

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
  /** They mean NULL in quotes, too. */
  readonly forceNull: boolean
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
    forceNull: options.forceNull ?? false,
    comment: options.comment,
  }
}

/** What a message calls a delimiter. */
export function delimiterName(delimiter: string): string {
  return { '\t': 'tabs', ';': 'semicolons', '|': 'pipes', ',': 'commas' }[delimiter] ?? `"${delimiter}"`
}

/** A delimiter as it is written on a command line. */
export function delimiterWord(delimiter: string): string {
  if (delimiter === '\t') return 'tab'
  // a comma needs no quotes in a shell, but is lost among other words
  return delimiter === ',' ? "','" : shellWord(delimiter)
}
