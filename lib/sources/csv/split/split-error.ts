import { delimiterWord, USUAL_DELIMITERS } from '../dialect.ts'

/** What is wrong with a line. The message continues `line 5`. */
export class SplitError extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

const AFTER_QUOTE = 'has text after a closing quote (a quote inside quotes is written twice)'

/**
 * Returns what is wrong with text after a closing quote.
 * @param next its first byte. In the first record, a usual delimiter there shows that another was named
 */
export function afterQuote(next: number, isFirstRecord: boolean): string {
  const character = String.fromCharCode(next)
  if (!isFirstRecord || !USUAL_DELIMITERS.includes(character)) return AFTER_QUOTE
  return `${AFTER_QUOTE}; if that is a delimiter: --delimiter ${delimiterWord(character)}`
}

export const INSIDE_FIELD =
  'has a quote inside an unquoted field (say --quote none if quotes mean nothing in it)'
export const NEVER_ENDS = 'begins a quoted field that never ends'
export const TOO_LONG = 'begins a record of more than 64 MiB; is a quote left open?'
