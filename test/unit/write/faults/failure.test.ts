import { expect } from 'chai'
import pg from 'pg'
import { toPgBatchError } from '../../../../lib/write/faults/failure.ts'

describe('the error of a connection that was not made', () => {
  it('says that no password is given, in the words of the next step', () => {
    const error = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')
    expect(toPgBatchError(error, 'not-sent', {}, 'connect').reason).to.equal(
      `No connection could be made: ${error.message}; no password is given: set PGPASSWORD`,
    )
  })

  it('says to wait for the stream where the pool was ended before it', async () => {
    const pool = new pg.Pool()
    await pool.end()
    const error = await pool.connect().catch((cause: unknown) => cause)
    expect(toPgBatchError(error, 'not-sent', {}, 'connect').reason).to.equal(
      'No connection could be made: Cannot use a pool after calling end on the pool: ' +
        'await the pipeline before pool.end()',
    )
  })
})

describe("the server's error without a row", () => {
  const messageFor = (code: string, message: string) => {
    const error = Object.assign(new Error(message), { code, severity: 'ERROR' })
    return toPgBatchError(error, 'rolled-back', {}, 'write').reason
  }

  it('is about the rows where a row may have caused it', () => {
    expect(messageFor('23505', 'duplicate key')).to.equal(
      'The server refused the rows: duplicate key (SQLSTATE 23505)',
    )
  })

  it('is about a statement where the rows have nothing to do with it, such as a missing privilege', () => {
    expect(messageFor('42501', 'permission denied for table pg_batch_checkpoint')).to.equal(
      'The server refused a statement: permission denied for table pg_batch_checkpoint (SQLSTATE 42501)',
    )
  })

  it('says that the server is a standby', () => {
    expect(messageFor('25006', 'cannot execute COPY FROM during recovery')).to.equal(
      'The server is a standby, or read-only: cannot execute COPY FROM during recovery (SQLSTATE 25006)',
    )
  })
})
