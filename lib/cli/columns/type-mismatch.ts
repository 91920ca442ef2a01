import { PgBatchError, type PgBatchErrorCode } from '../../errors.ts'

/** Why a row does not belong into a table whose columns were inferred. The server alone would not always say so. */
export class TypeMismatch extends PgBatchError {
  /** What would have taken the row. */
  readonly hint: string

  constructor(code: PgBatchErrorCode, reason: string, { column, hint }: { column: string; hint: string }) {
    super(code, reason, { outcome: 'not-sent', column })
    this.hint = hint
  }
}
