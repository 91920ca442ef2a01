import { expect } from 'chai'
import type { CopyIn } from '../../../../lib/connection/copy-in.ts'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import { Lease } from '../../../../lib/connection/pool/lease.ts'
import { Transaction } from '../../../../lib/connection/transaction/transaction.ts'
import { rejectionOf } from '../../../support/writing.ts'

const never = new AbortController().signal
const refused = Object.assign(new Error('refused'), { severity: 'ERROR', code: '22P02' })

describe('a transaction', () => {
  it('stays open when COMMIT is answered by "statement completion unknown", and ends its connection', async () => {
    const unknown = Object.assign(new Error('result is ambiguous'), { severity: 'ERROR', code: '40003' })
    const released: unknown[] = []
    const client = {
      query: (text: string) =>
        text === 'COMMIT' ? Promise.reject(unknown) : Promise.resolve({ rows: [], rowCount: 0 }),
      release: (error?: unknown) => released.push(error),
    }
    const lease = await Lease.take({ connect: async () => client }, { stop: never, kill: never }, 1000)
    const limits = { statementTimeoutMs: 1000, commitTimeoutMs: 1000, ticketed: false }
    const transaction = new Transaction(lease, limits)
    await transaction.query('INSERT INTO t VALUES (1)')
    expect(await rejectionOf(transaction.commit())).to.equal(unknown)
    expect(transaction.state).to.equal('committing')
    lease.release()
    expect(released).to.deep.equal([unknown])
  })

  it('knows its ticket when its first COPY is answered and fails in the same packet', async () => {
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
    copy.handleDataRow({
      fields: ['77', '4711', '000000010000000000000008', '1.5', '0/1', 'read committed', '500', '700'],
    })
    copy.handleCopyInResponse()
    copy.handleError(refused)
    copy.handleReadyForQuery()
    expect(await rejectionOf(copy.settled)).to.equal(refused)
    expect(transaction.ticket).to.include({ xid: '77', timeline: '00000001', timeoutMs: 500 })
    lease.release()
  })
})
