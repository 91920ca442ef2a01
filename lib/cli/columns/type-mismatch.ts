import { PgBatchError, type PgBatchErrorCode } from '../../errors.ts'

/**
 * Why a row does not fit a table whose columns were inferred. The server alone would not always refuse it.
 */
export class TypeMismatch extends PgBatchError {
  /** What to do so that the row fits. */
  readonly hint: string

  constructor(code: PgBatchErrorCode, reason: string, { column, hint }: { column: string; hint: string }) {
    super(code, reason, { outcome: 'not-sent', column })
    this.hint = hint
  }
}
