import { PgBatchError, type PgBatchErrorCode } from '../errors.ts'

/** Why a row does not belong into a table whose columns were inferred. The server alone would not always say so. */
export class RowMisfit extends PgBatchError {
  /** What would have taken the row. */
  readonly cure: string

  constructor(code: PgBatchErrorCode, message: string, { column, cure }: { column: string; cure: string }) {
    super(code, message, { outcome: 'not-sent', column })
    this.cure = cure
  }
}

/** What a row was rejected for. The writer puts the row's place behind a misfit's text; here the file's is said before it. */
export function rejectError(error: PgBatchError): PgBatchError {
  const { cause, outcome, batchId, rowIndex } = error
  if (!(cause instanceof RowMisfit)) return error
  return new PgBatchError(cause.code, cause.message, { outcome, batchId, rowIndex, column: cause.column })
}
