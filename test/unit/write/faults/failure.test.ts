import { expect } from 'chai'
import { toPgBatchError } from '../../../../lib/write/faults/failure.ts'

describe('the error of a connection that was not made', () => {
  it('says that no password is given, in the words of the next step', () => {
    const error = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')
    expect(toPgBatchError(error, 'not-sent', {}, 'connect').reason).to.equal(
      `No connection could be made: ${error.message}; no password is given: set PGPASSWORD`,
    )
  })
})
