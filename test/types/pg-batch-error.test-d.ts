import { expectAssignable, expectError, expectNotType, expectType } from 'tsd'
import { type Outcome, PgBatchError, type PgBatchErrorCode } from '../../dist/index.js'

const error = new PgBatchError('REFUSED', 'refused', { outcome: 'rolled-back' })
expectAssignable<Error>(error)
expectType<PgBatchErrorCode>(error.code)
expectNotType<string>(error.code)
expectType<Outcome>(error.outcome)
expectType<'not-sent' | 'rolled-back' | 'committed' | 'unknown'>(error.outcome)
expectType<boolean>(error.retryable)
expectType<number | undefined>(error.rowIndex)
expectType<string | undefined>(error.column)
expectType<string | undefined>(error.sqlState)
expectError(new PgBatchError('NO_SUCH_CODE', 'text', { outcome: 'unknown' }))
expectError(new PgBatchError('REFUSED', 'text', { outcome: 'lost' }))
