import { expect } from 'chai'
import type { CopyIn } from '../../../lib/connection/copy-in.ts'
import { Lease } from '../../../lib/connection/lease.ts'
import type { PgClientLike } from '../../../lib/connection/pg-types.ts'
import { Transaction } from '../../../lib/connection/transaction.ts'
import { rejectionOf } from '../../support/writing.ts'

const never = new AbortController().signal
const refused = Object.assign(new Error('refused'), { severity: 'ERROR', code: '22P02' })

describe('a transaction', () => {
  it('knows its ticket when its first COPY fails in the same breath as it is answered', async () => {
    const connection = { query() {}, sendCopyFail() {}, stream: { writableLength: 0, write: () => true } }
    const client = {
      query: (copy: CopyIn) => copy.submit(connection),
      on() {},
      off() {},
      release() {},
    } as unknown as PgClientLike
    const pool = { connect: async () => client } as unknown as Parameters<typeof Lease.take>[0]
    const lease = await Lease.take(pool, { stop: never, kill: never }, 1000)
    const transaction = new Transaction(lease, {
      statementTimeoutMs: 1000,
      commitTimeoutMs: 1000,
      ticketed: true,
    })
    const copy = transaction.openCopy('COPY t FROM STDIN')
    // rows go ahead of the answer, so that one packet may hold the ticket, the answer and the refusal
    copy.handleDataRow({ fields: ['77', '4711', '00000001', '1.5', '0/1'] })
    copy.handleCopyInResponse()
    copy.handleError(refused)
    copy.handleReadyForQuery()
    expect(await rejectionOf(copy.settled)).to.equal(refused)
    expect(transaction.ticket).to.include({ xid: '77', backend: '4711' })
    lease.release()
  })
})
