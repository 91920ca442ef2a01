import type { ResultColumn } from '../../../connection/bound-rows.ts'
import type { PgClientLike } from '../../../connection/pg-types.ts'
import { RowError, type RowRef } from '../../rows/row-sender.ts'

/**
 * Makes a row of the texts that the server has sent, as `client.query` would. Undefined without columns.
 * @throws RowError where a type parser of the program throws
 */
export function returnedRow(
  client: PgClientLike,
  ref: RowRef,
  columns: readonly ResultColumn[],
  values: readonly (string | null)[],
): Record<string, unknown> | undefined {
  if (columns.length === 0) return undefined
  const row: Record<string, unknown> = {}
  for (const [index, { name, dataTypeID }] of columns.entries()) {
    const text = values[index]!
    try {
      row[name] = text === null ? null : client.getTypeParser!(dataTypeID, 'text')(text)
    } catch (cause) {
      const message = `Column ${JSON.stringify(name)}: the type parser of the client threw; see error.cause`
      throw new RowError({ ...ref, column: name }, message, cause)
    }
  }
  return row
}
