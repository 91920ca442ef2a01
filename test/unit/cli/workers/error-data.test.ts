import { expect } from 'chai'
import { TypeMismatch } from '../../../../lib/cli/columns/type-mismatch.ts'
import { dataOfError, errorOfData } from '../../../../lib/cli/workers/error-data.ts'
import { isServerError } from '../../../../lib/connection/server-error.ts'
import { PgBatchError } from '../../../../lib/errors.ts'
import { noteSentText, sentValueOf } from '../../../../lib/write/transaction/sent-value.ts'

describe('errors between threads', () => {
  const through = (error: unknown, batchIdOf?: (id: number) => number) =>
    errorOfData(structuredClone(dataOfError(error)), batchIdOf)

  function serverError() {
    const where = 'COPY t, line 3, column id: "x"'
    return Object.assign(new Error('invalid input'), {
      name: 'error',
      severity: 'ERROR',
      code: '22P02',
      where,
    })
  }

  it('keep the class, the place, the outcome and the cause', () => {
    const cause = serverError()
    noteSentText(cause, 'x')
    const details = {
      outcome: 'rolled-back',
      retryable: true,
      sqlState: '22P02',
      batchId: 2,
      rowIndex: 5,
    } as const
    const error = new PgBatchError('REFUSED', 'No', { ...details, column: 'id', constraint: 'c', cause })
    const copy = through(error) as PgBatchError
    expect(copy).to.be.instanceOf(PgBatchError)
    expect(copy).to.include({ ...details, code: 'REFUSED', reason: 'No', column: 'id', constraint: 'c' })
    expect(copy.message).to.equal(error.message)
    expect(isServerError(copy.cause)).to.equal(true)
    expect(copy.cause).to.include({ message: 'invalid input', code: '22P02', where: cause.where })
    expect(sentValueOf(copy.cause as Error)).to.equal('x')
  })

  it('have the number that their batch has in the other thread', () => {
    const error = new PgBatchError('REFUSED', 'No', { outcome: 'rolled-back', batchId: 2, rowIndex: 5 })
    const copy = through(error, id => id * 100) as PgBatchError
    expect(copy.batchId).to.equal(200)
    expect(copy.message).to.equal('No [row 5, batch 200] (rolled back)')
  })

  it('keep why a value does not fit', () => {
    const cause = new TypeMismatch('VALUE_NOT_ENCODABLE', 'It is late', { column: 'at', hint: 'be early' })
    const error = new PgBatchError('VALUE_NOT_ENCODABLE', 'It is late', { outcome: 'not-sent', cause })
    const copy = through(error).cause as TypeMismatch
    expect(copy).to.be.instanceOf(TypeMismatch)
    expect(copy).to.include({ reason: 'It is late', hint: 'be early', column: 'at' })
  })

  it('keep the errors of several addresses', () => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' })
    const copy = through(new AggregateError([refused], 'all')) as AggregateError
    expect(copy).to.be.instanceOf(AggregateError)
    expect(copy.errors[0]).to.include({ message: 'refused', code: 'ECONNREFUSED', syscall: 'connect' })
  })

  it('are errors even if something else was thrown', () => {
    expect(through('odd').message).to.equal('odd')
  })
})
