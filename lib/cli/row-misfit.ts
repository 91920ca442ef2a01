import { PgBatchError, type PgBatchErrorCode } from '../errors.ts'

/** Why a row does not belong into a table whose columns were inferred. The server alone would not always say so. */
export class RowMisfit extends Error {
  override readonly name = 'RowMisfit'
  readonly code: PgBatchErrorCode
  readonly column: string
  /** What would have taken the row. */
  readonly cure: string

  constructor(message: string, details: Pick<RowMisfit, 'code' | 'column' | 'cure'>) {
    super(message)
    this.code = details.code
    this.column = details.column
    this.cure = details.cure
  }
}

/** What a row was rejected for: of a misfit the writer knows only that its callback threw. */
export function rejectError(error: PgBatchError): PgBatchError {
  const { cause, outcome, batchId, rowIndex } = error
  if (!(cause instanceof RowMisfit)) return error
  return new PgBatchError(cause.code, cause.message, { outcome, batchId, rowIndex, column: cause.column })
}
