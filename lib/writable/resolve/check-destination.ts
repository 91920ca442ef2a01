import type { PgPoolLike } from '../../connection/pg-types.ts'
import { canConnect, heldPool } from '../../connection/pool/held-pool.ts'
import type { ConnectionParameters } from '../../connection-string/connection-parameters.ts'
import { parseConnection } from '../../connection-string/parse-connection.ts'
import { ConnectionStringError } from '../../connection-string/settings-error.ts'
import { expectOption, optionError } from '../../options/checks.ts'

/** Throws unless exactly one of `pool` and `connectionString` is given. */
export function expectOneDestination(options: Record<string, unknown>): void {
  const { pool, connectionString } = options
  if (pool !== undefined && connectionString !== undefined) {
    throw optionError('Expected either `pool` or `connectionString`, got both')
  }
  if (pool === undefined && 'connectionString' in options) checkUrl('connectionString', connectionString)
  if (pool === undefined && connectionString === undefined) {
    throw optionError('Expected `pool` (of the package pg) or `connectionString`, got neither')
  }
}

/** Checks that a value has the shape of a pool, and that it is not a client of pg, which can connect, too. */
export function checkPool(name: string, pool: unknown): PgPoolLike {
  const held = heldPool(pool)
  const hint = held ? `pass its \`${held}\`` : 'make one by `new pg.Pool({ connectionString })`'
  expectOption<PgPoolLike>(name, pool, 'a pool with a connect() method', canConnect(pool), hint)
  if ('connectionParameters' in pool) {
    throw optionError(`Expected \`${name}\` to be a Pool of pg, got a Client: ${hint}`)
  }
  return pool
}

/** Parses a connection string. A parameter that is ignored becomes a process warning. */
export function checkConnection(name: string, value: unknown): ConnectionParameters {
  const text = checkUrl(name, value)
  try {
    const connection = parseConnection(text, `\`${name}\``, process.env)
    for (const note of connection.notes) warnOnce(note)
    return connection
  } catch (error) {
    if (error instanceof ConnectionStringError) throw optionError(error.message)
    throw error
  }
}

function checkUrl(name: string, value: unknown): string {
  const holds = typeof value === 'string' && value !== ''
  const hint = value === undefined || value === '' ? 'is DATABASE_URL set?' : undefined
  expectOption<string>(name, value, 'a string that is not empty', holds, hint)
  return value
}

/** Warnings that were emitted: many streams may have the same connection string. */
const warned = new Set<string>()

function warnOnce(note: string): void {
  if (warned.has(note)) return
  warned.add(note)
  process.emitWarning(note, { type: 'PgBatchWarning', code: 'PG_BATCH_PARAMETER_IGNORED' })
}
