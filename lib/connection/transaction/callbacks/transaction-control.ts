/**
 * What a query string does to the transaction in which it runs. `refused`: something that a transaction
 * within a transaction cannot do; `what` ends a sentence of a message.
 */
export type TransactionControl =
  | { readonly kind: 'begin' | 'commit' | 'rollback' }
  | { readonly kind: 'refused'; readonly what: string }

/**
 * Returns what the statements of a query string begin, end, or change about a transaction; undefined for
 * everything else, savepoints included.
 *
 * Procedures and DO blocks need no check: inside BEGIN … COMMIT the server does not let them end a
 * transaction.
 * @see https://www.postgresql.org/docs/current/sql-begin.html
 */
export function transactionControl(text: string): TransactionControl | undefined {
  const statements = firstTokens(text)
  const control = statements.map(controlOf).find(found => found !== undefined)
  if (!control || control.kind === 'refused' || statements.length === 1) return control
  return refused('transaction control in a string of several statements')
}

function refused(what: string): TransactionControl {
  return { kind: 'refused', what }
}

function controlOf(tokens: readonly string[]): TransactionControl | undefined {
  const [first, ...rest] = tokens
  switch (first) {
    case 'BEGIN':
      return beginOf(withoutNoise(rest))
    case 'START':
      return rest[0] === 'TRANSACTION' ? beginOf(rest.slice(1)) : undefined
    case 'COMMIT':
    case 'END':
      return endOf('commit', withoutNoise(rest))
    case 'ROLLBACK':
    case 'ABORT':
      return endOf('rollback', withoutNoise(rest))
    case 'PREPARE':
      return rest[0] === 'TRANSACTION' ? refused('PREPARE TRANSACTION') : undefined
    case 'SET':
      return setOf(rest)
    default:
      return undefined
  }
}

function withoutNoise(tokens: readonly string[]): readonly string[] {
  return tokens[0] === 'WORK' || tokens[0] === 'TRANSACTION' ? tokens.slice(1) : tokens
}

function beginOf(modes: readonly string[]): TransactionControl {
  return modes.length === 0 ? { kind: 'begin' } : refused('an isolation level or another transaction mode')
}

function endOf(kind: 'commit' | 'rollback', rest: readonly string[]): TransactionControl | undefined {
  const words = rest.join(' ')
  if (words === '' || words === 'AND NO CHAIN') return { kind }
  if (kind === 'rollback' && rest[0] === 'TO') return undefined // a savepoint
  const keyword = kind.toUpperCase()
  if (words === 'AND CHAIN') return refused(`${keyword} AND CHAIN`)
  return refused(rest[0] === 'PREPARED' ? `${keyword} PREPARED` : `this form of ${keyword}`)
}

const MODE_SETTINGS: ReadonlySet<string> = new Set([
  'TRANSACTION',
  'CHARACTERISTICS',
  'TRANSACTION_ISOLATION',
  'TRANSACTION_READ_ONLY',
  'TRANSACTION_DEFERRABLE',
])

function setOf(tokens: readonly string[]): TransactionControl | undefined {
  const name = tokens[0] === 'LOCAL' || tokens[0] === 'SESSION' ? tokens[1] : tokens[0]
  return name !== undefined && MODE_SETTINGS.has(name) ? refused('SET TRANSACTION') : undefined
}

/** How many tokens identify a statement. */
const MAX_TOKENS = 6

const WORD = /[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*/y
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$/y
const LINE_END = /[\n\r]/g

/**
 * Splits a string of SQL into its statements, and returns the first tokens of each that is not empty: words
 * in upper case, and one character for anything else. Handles comments, all kinds of quotes, parentheses, and
 * the bodies of SQL-standard functions, whose semicolons end no statement. Looks at each character once.
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
function firstTokens(text: string): string[][] {
  const statements: string[][] = []
  let tokens: string[] = []
  let parentheses = 0
  let blocks = 0
  const add = (token: string): void => {
    if (tokens.length < MAX_TOKENS) tokens.push(token)
  }
  const endStatement = (): void => {
    if (tokens.length > 0) statements.push(tokens)
    tokens = []
    parentheses = 0
    blocks = 0
  }
  for (let at = 0; at < text.length; ) {
    const character = text[at]!
    const two = text.substr(at, 2)
    const word = matchAt(WORD, text, at)
    const dollarQuote = character === '$' ? matchAt(DOLLAR_QUOTE, text, at) : undefined
    if (two === '--') at = endOfLine(text, at)
    else if (two === '/*') at = endOfComment(text, at)
    else if (word !== undefined) {
      at += word.length
      const keyword = word.toUpperCase()
      // the only quotes in which a backslash escapes
      if (keyword === 'E' && text[at] === "'") at = endOfEscapes(text, at)
      if (makesRoutine(tokens)) blocks = blocksAfter(keyword, blocks)
      add(keyword)
    } else if (character === "'" || character === '"') {
      at = endOfQuotes(text, at)
      add(character)
    } else if (dollarQuote !== undefined) {
      const end = text.indexOf(dollarQuote, at + dollarQuote.length)
      at = end < 0 ? text.length : end + dollarQuote.length
      add('$')
    } else {
      at++
      if (character === ';' && parentheses === 0 && blocks === 0) endStatement()
      else if (!/\s/.test(character)) add(character)
      if (character === '(') parentheses++
      if (character === ')') parentheses = Math.max(0, parentheses - 1)
    }
  }
  endStatement()
  return statements
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

function endOfEscapes(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === "'") return at + 1
  }
  return text.length
}

function makesRoutine(tokens: readonly string[]): boolean {
  return tokens[0] === 'CREATE' && (tokens.includes('FUNCTION') || tokens.includes('PROCEDURE'))
}

/**
 * Returns how many blocks are open after a word of CREATE FUNCTION … BEGIN ATOMIC … END. END also ends a
 * CASE.
 */
function blocksAfter(keyword: string, blocks: number): number {
  if (keyword === 'BEGIN' || (keyword === 'CASE' && blocks > 0)) return blocks + 1
  return keyword === 'END' && blocks > 0 ? blocks - 1 : blocks
}
