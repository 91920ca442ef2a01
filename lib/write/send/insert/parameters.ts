import { whyNotEncoded } from '../../../encode/value-error.ts'
import { MAX_MESSAGE_BYTES, TooLongError } from '../../../encode/wire/byte-buffer.ts'
import type { PlannedColumn } from '../../plan/planned-columns.ts'
import type { RowGroup } from '../../rows/batch.ts'
import { RowError } from '../../rows/row-sender.ts'

/** The greatest length of the parameters of one statement, except where a single row is longer. */
export const MAX_STATEMENT_LENGTH = 128 * 1024 * 1024

/** The parameters of a statement. */
export interface Parameters {
  readonly values: unknown[]
  /** The length of all values, in bytes for buffers and in characters for strings. */
  length: number
}

/**
 * Adds the values of a row, as parameters for `pg`. Returns false, and adds nothing, if they would make the
 * statement too long.
 * @throws RowError for a value that cannot be a parameter, or that is too long for any message
 */
export function addParameters(
  parameters: Parameters,
  columns: readonly PlannedColumn[],
  group: RowGroup,
  index: number,
): boolean {
  const row = columns.map(column => parameterOf(column, group, index))
  const length = row.reduce((sum, value) => sum + (value?.length ?? 0), 0)
  if (length > MAX_MESSAGE_BYTES / 3) checkLength(row, columns, group, index)
  if (parameters.length > 0 && parameters.length + length > MAX_STATEMENT_LENGTH) return false
  for (const value of row) parameters.values.push(value)
  parameters.length += length
  return true
}

/** @throws RowError for a value that cannot be a parameter */
export function parameterOf(column: PlannedColumn, group: RowGroup, index: number): string | Buffer | null {
  try {
    const value = column.read(group.rows.at(index))
    return value === null || value === undefined ? null : column.known!.codec.text(value)
  } catch (cause) {
    const message = `Column ${JSON.stringify(column.name)}: ${whyNotEncoded(cause)}`
    throw new RowError({ group, index, column: column.name }, message, cause)
  }
}

/** Room in a message for the rest: the lengths of the values, and the name of the statement. */
const MESSAGE_ROOM = 1024 * 1024

function checkLength(
  row: readonly (string | Buffer | null)[],
  columns: readonly PlannedColumn[],
  group: RowGroup,
  index: number,
): void {
  let bytes = 0
  for (const [at, value] of row.entries()) {
    bytes += value === null ? 0 : Buffer.byteLength(value)
    if (bytes <= MAX_MESSAGE_BYTES - MESSAGE_ROOM) continue
    const { name: column } = columns[at]!
    const error = new TooLongError()
    throw new RowError({ group, index, column }, `Column ${JSON.stringify(column)}: ${error.message}`, error)
  }
}
