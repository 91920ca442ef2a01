import { plural } from '../../../values/format-count.ts'
import { type DialectOptions, delimiterName, delimiterWord } from '../dialect.ts'

/** What was chosen for a file. */
export interface Choice {
  readonly delimiter: string
  readonly quote: string | undefined
  readonly header: boolean
  /** The first record was found to be data. */
  readonly isData: boolean
  /** The lines above the header, which are skipped. */
  readonly titleLines: number
  readonly isOneColumn: boolean
  /** Each delimiter comes twice. */
  readonly isDoubled: boolean
}

/** Describes what the options do not set; undefined if they set everything. */
export function describeChoice(choice: Choice, options: DialectOptions): string | undefined {
  const { delimiter, quote, header, isData, titleLines, isOneColumn, isDoubled } = choice
  const isNamed = options.delimiter !== undefined
  const isQuoteFound = quote === "'" && !('quote' in options)
  if (isNamed && !isQuoteFound && !isData && titleLines === 0) return undefined
  const words = [
    ...(titleLines > 0
      ? [`${plural(titleLines, 'line')} above the header skipped (see --strict-header)`]
      : []),
    isOneColumn ? 'one column' : `${delimiterName(delimiter)} between fields`,
    ...(isQuoteFound ? ['apostrophes around them (see --quote)'] : []),
    ...(isDoubled ? ['every second field empty'] : []),
    header ? 'a header' : isData ? 'no header, since the first line is data (see --header)' : 'no header',
  ].join(', ')
  if (isNamed) return words
  return `${words} (see --delimiter${isDoubled ? ` ${delimiterWord(delimiter.repeat(2))}` : ''})`
}
