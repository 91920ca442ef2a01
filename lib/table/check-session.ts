import { PgBatchError } from '../errors.ts'
import type { Column, PgType, Table } from '../types.ts'

/**
 * Checks the settings of the session in which a table was introspected.
 * @param columns those that rows are written to
 * @throws PgBatchError where a setting would store other values than those of the rows
 */
export function checkSession(table: Table, columns: readonly Pick<Column, 'type'>[]): void {
  const { unfitSetting } = table
  if (unfitSetting === 'client_encoding') {
    throw refused(
      'The session has a `client_encoding` other than UTF8, in which rows are sent, and would store other ' +
        'characters: leave it as `pg` sets it',
    )
  }
  if (unfitSetting === 'array_nulls' && columns.some(({ type }) => holdsArrays(type))) {
    throw refused(
      "The session has `array_nulls` off, and would store a NULL in an array as the text 'NULL': set it on " +
        '(`ALTER ROLE … SET array_nulls = on`)',
    )
  }
}

function holdsArrays({ element, base, attributes = [] }: PgType): boolean {
  return element !== undefined || (base !== undefined && holdsArrays(base)) || attributes.some(holdsArrays)
}

function refused(reason: string): PgBatchError {
  return new PgBatchError('REFUSED', reason, { outcome: 'not-sent' })
}
