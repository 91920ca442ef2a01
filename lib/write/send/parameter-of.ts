import { MAX_MESSAGE_BYTES, TooLongError } from '../../encode/wire/byte-buffer.ts'
import type { PlannedColumn } from '../plan/planned-columns.ts'
import type { RowGroup } from '../rows/batch.ts'
import { RowError } from '../rows/row-sender.ts'

/** The length of parameters that one statement may take; those of a single row may take more. */
const MAX_STATEMENT_LENGTH = 128 * 1024 * 1024

/** Parameters of some rows. */
export interface Parameters {
  readonly values: unknown[]
  /** Of all values, in bytes of buffers and characters of strings. */
  length: number
}

/**
 * Adds the values of a row, as parameters of `pg`. Returns false, with nothing added, where the statement would become
 * too long by them.
 * @throws RowError for a value that has no such form, or that no message can hold
 */
export function addParameters(
  parameters: Parameters,
  columns: readonly PlannedColumn[],
  group: RowGroup,
  index: number,
): boolean {
  const row = columns.map(column => parameterOf(column, group, index))
  const length = row.reduce((sum, value) => sum + (value?.length ?? 0), 0)
  if (length > MAX_MESSAGE_BYTES / 3) expectShort(row, columns, group, index)
  if (parameters.length > 0 && parameters.length + length > MAX_STATEMENT_LENGTH) return false
  for (const value of row) parameters.values.push(value)
  parameters.length += length
  return true
}

function parameterOf(column: PlannedColumn, group: RowGroup, index: number): string | Buffer | null {
  try {
    const value = column.read(group.rows.at(index))
    return value === null || value === undefined ? null : column.known!.codec.text(value)
  } catch (cause) {
    const message = `Column ${JSON.stringify(column.name)}: the value could not be made into a parameter`
    throw new RowError({ group, index, column: column.name }, message, cause)
  }
}

/** What else a message holds: lengths of the values, and the statement's name. */
const MESSAGE_ROOM = 1024 * 1024

function expectShort(
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
