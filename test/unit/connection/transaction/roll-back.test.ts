import { expect } from 'chai'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import { Lease } from '../../../../lib/connection/pool/lease.ts'
import { rollBack } from '../../../../lib/connection/transaction/roll-back.ts'
import type { TransactionTicket } from '../../../../lib/connection/transaction/ticket.ts'

const never = new AbortController().signal
const cancelled = Object.assign(new Error('canceling statement'), { severity: 'ERROR', code: '57014' })
const status = (status: string) => [
  { command: 'ROLLBACK', rows: [] },
  { command: 'SELECT', rows: [{ status }] },
]

describe('the rollback of a transaction that a callback may have ended', () => {
  /** Answers each query string by the next of `answers`. */
  const rollBackBy = async (answers: unknown[]) => {
    const released: unknown[] = []
    const client = {
      query: async () => {
        const answer = answers.shift()
        if (answer instanceof Error) throw answer
        return answer
      },
      release: (error?: unknown) => released.push(error),
    } as unknown as PgClientLike
    const lease = await Lease.take({ connect: async () => client }, { stop: never, kill: never }, 1000)
    const ticket = { xid: '77' } as TransactionTicket
    const state = await rollBack(lease, { timeoutMs: 1000, ticket, isDoubtful: true })
    lease.release()
    return { state, released }
  }

  for (const [found, state] of [
    ['aborted', 'rolled-back'],
    ['committed', 'committed'],
  ] as const) {
    it(`asks again where a late cancel meets the question: ${state}; and ends the connection`, async () => {
      expect(await rollBackBy([cancelled, status(found)])).to.deep.equal({ state, released: [cancelled] })
    })
  }

  it('reports nothing that the server does not: every question is cancelled', async () => {
    expect((await rollBackBy([cancelled, cancelled])).state).to.equal('lost')
  })
})
