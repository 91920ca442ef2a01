import { PgBatchError, type PgBatchErrorCode } from '../../errors.ts'

/** Why a row does not belong into a table whose columns were inferred. The server alone would not always say so. */
export class RowMisfit extends PgBatchError {
  /** What would have taken the row. */
  readonly cure: string

  constructor(code: PgBatchErrorCode, reason: string, { column, cure }: { column: string; cure: string }) {
    super(code, reason, { outcome: 'not-sent', column })
    this.cure = cure
  }
}
