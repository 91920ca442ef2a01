/** How many tokens identify a statement. */
const MAX_TOKENS = 6

/**
 * Splits a string of SQL into its statements, and returns the first tokens of each that is not empty: words
 * in upper case, and one character for anything else. Handles comments, all kinds of quotes, parentheses, and
 * the bodies of SQL-standard functions, whose semicolons end no statement. Looks at each character once.
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export function firstTokens(text: string): string[][] {
  const statements: string[][] = []
  let statement = new Statement()
  const endStatement = (): void => {
    if (statement.tokens.length > 0) statements.push(statement.tokens)
    statement = new Statement()
  }
  for (let at = 0; at < text.length; ) {
    const { token, end } = tokenAt(text, at)
    at = end
    if (token === ';' && statement.mayEnd) endStatement()
    else if (token !== undefined) statement.add(token)
  }
  endStatement()
  return statements
}

class Statement {
  readonly tokens: string[] = []
  #parentheses = 0
  /** The open blocks of CREATE FUNCTION … BEGIN ATOMIC … END. */
  #blocks = 0

  add(token: string): void {
    if (token === '(') this.#parentheses++
    else if (token === ')') this.#parentheses = Math.max(0, this.#parentheses - 1)
    else if (makesRoutine(this.tokens)) this.#blocks = blocksAfter(token, this.#blocks)
    if (this.tokens.length < MAX_TOKENS) this.tokens.push(token)
  }

  /** A semicolon would end it. */
  get mayEnd(): boolean {
    return this.#parentheses === 0 && this.#blocks === 0
  }
}

function makesRoutine(tokens: readonly string[]): boolean {
  return tokens[0] === 'CREATE' && (tokens.includes('FUNCTION') || tokens.includes('PROCEDURE'))
}

/** Returns how many blocks are open after a token of CREATE FUNCTION. END also ends a CASE. */
function blocksAfter(token: string, blocks: number): number {
  if (token === 'BEGIN' || (token === 'CASE' && blocks > 0)) return blocks + 1
  return token === 'END' && blocks > 0 ? blocks - 1 : blocks
}

interface Token {
  /** Undefined for a comment or white space. */
  readonly token: string | undefined
  /** The index after it. */
  readonly end: number
}

const WORD = /[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*/y
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$/y
const LINE_END = /[\n\r]/g

/** Returns the token that begins at an index. */
function tokenAt(text: string, at: number): Token {
  const character = text[at]!
  if (text.startsWith('--', at)) return { token: undefined, end: endOfLine(text, at) }
  if (text.startsWith('/*', at)) return { token: undefined, end: endOfComment(text, at) }
  if (character === "'" || character === '"') return { token: character, end: endOfQuotes(text, at) }
  const word = matchAt(WORD, text, at)
  if (word !== undefined) return wordToken(text, word.toUpperCase(), at + word.length)
  const dollarQuote = character === '$' ? matchAt(DOLLAR_QUOTE, text, at) : undefined
  if (dollarQuote !== undefined) return { token: '$', end: endOfDollarQuotes(text, dollarQuote, at) }
  return { token: /\s/.test(character) ? undefined : character, end: at + 1 }
}

/** @param end the index after the word */
function wordToken(text: string, token: string, end: number): Token {
  // the only quotes in which a backslash escapes
  return { token, end: token === 'E' && text[end] === "'" ? endOfEscapes(text, end) : end }
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function endOfLine(text: string, at: number): number {
  LINE_END.lastIndex = at
  return LINE_END.exec(text)?.index ?? text.length
}

/** Returns the end of a comment. Comments nest. */
function endOfComment(text: string, from: number): number {
  let depth = 1
  for (let at = from + 2; at < text.length; at++) {
    const opens = text[at] === '/' && text[at + 1] === '*'
    const closes = text[at] === '*' && text[at + 1] === '/'
    if (!opens && !closes) continue
    depth += opens ? 1 : -1
    at++
    if (depth === 0) return at + 1
  }
  return text.length
}

/**
 * Returns the end of a quoted text. A doubled quote starts another one right after it, with the same effect.
 */
function endOfQuotes(text: string, from: number): number {
  const end = text.indexOf(text[from]!, from + 1)
  return end < 0 ? text.length : end + 1
}

function endOfDollarQuotes(text: string, quote: string, from: number): number {
  const end = text.indexOf(quote, from + quote.length)
  return end < 0 ? text.length : end + quote.length
}

function endOfEscapes(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === "'") return at + 1
  }
  return text.length
}
