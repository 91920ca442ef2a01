import { plural } from '../../values/format-count.ts'
import { type Dialect, type DialectOptions, delimiterName } from './dialect.ts'

export interface CsvDescription {
  readonly encoding: string
  /** The options of the user. */
  readonly dialect?: DialectOptions | undefined
  readonly headerLines?: number | undefined
  readonly lenient?: boolean | undefined
  /** Lines above the header. */
  readonly skipped: number
}

/** Returns how a CSV file is read, in words: what was set, and what was detected. */
export function describeCsv(
  dialect: Dialect,
  { encoding, dialect: asked = {}, headerLines, lenient, skipped }: CsvDescription,
): string {
  const fields = `${delimiterName(asked.delimiter ?? dialect.delimiter)} between fields`
  const quotes = dialect.quote === "'" && !('quote' in asked) ? ', apostrophes around them' : ''
  const tall = headerLines ? `a header of ${plural(headerLines, 'line')}` : 'a header'
  const head = dialect.header ? tall : 'no header'
  const above = skipped > 0 ? `, ${plural(skipped, 'line')} skipped` : ''
  return `csv, ${encoding}, ${fields}${quotes}, ${head}${above}${lenient ? ', lenient' : ''}`
}
