import { firstTokens } from './first-tokens.ts'

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
