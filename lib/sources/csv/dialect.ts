import { shellWord } from '../shell-word.ts'

/** How a CSV file is written. Every character is an ASCII character, as for `COPY`. */
export interface Dialect {
  readonly delimiter: string
  /** The character around fields. Undefined: fields are never quoted, and a quote has no meaning. */
  readonly quote: string | undefined
  /** The character that escapes a quote inside quotes. */
  readonly escape: string | undefined
  /** False if the first record is data; the columns are then called column_1, column_2 and so on. */
  readonly header: boolean
  /** The unquoted texts that mean NULL. */
  readonly nulls: readonly string[]
  /** These texts mean NULL in quotes, too. */
  readonly forceNull: boolean
  /** Lines that start with it are skipped. */
  readonly comment: string | undefined
}

export type DialectOptions = { readonly [Key in keyof Dialect]?: Dialect[Key] | undefined }

/** Returns the options with defaults. The delimiter has no default: it comes from the file. */
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

/** The delimiters that files are tried with, in the order of preference if all fit equally. */
export const USUAL_DELIMITERS: readonly string[] = [',', '\t', ';', '|']

/** Returns the name of a delimiter for messages. */
export function delimiterName(delimiter: string): string {
  return { '\t': 'tabs', ';': 'semicolons', '|': 'pipes', ',': 'commas' }[delimiter] ?? `"${delimiter}"`
}

/** Returns a delimiter as it is written on a command line. */
export function delimiterWord(delimiter: string): string {
  if (delimiter === '\t') return 'tab'
  // a comma needs no quotes in a shell, but is easily overlooked
  return delimiter === ',' ? "','" : shellWord(delimiter)
}
