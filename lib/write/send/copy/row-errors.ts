import { ValueError } from '../../../encode/row-encoder.ts'
import type { RowGroup } from '../../rows/batch.ts'
import { RowError } from '../../rows/row-sender.ts'

/** Makes the error of a row that an encoder has refused. */
export function notEncodable(group: RowGroup, index: number, error: unknown): RowError {
  if (!(error instanceof ValueError)) {
    return new RowError({ group, index, column: undefined }, 'the row could not be read', error)
  }
  return new RowError({ group, index, column: error.column }, error.message, error.cause ?? error)
}

/** Makes the error of a row that is to go as binary, and has no binary form. */
export function notBinary(group: RowGroup, index: number, column: string): RowError {
  const message =
    `Column ${JSON.stringify(column)}: the value has no exact binary form; ` +
    "`copyFormat: 'auto'` would send it as text"
  return new RowError({ group, index, column }, message, undefined)
}
