import { expect } from 'chai'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import { canTicket } from '../../../../lib/connection/transaction/ticket.ts'
import { rejectionOf } from '../../../support/writing.ts'

const refusing = (code: string) => {
  const error = Object.assign(new Error('refused'), { severity: 'ERROR', code })
  return { error, client: { query: () => Promise.reject(error), release() {} } as unknown as PgClientLike }
}

describe('whether the server can report the outcome of a transaction', () => {
  for (const code of ['42883', '42501', '0A000', '42601']) {
    it(`is false when the server lacks a function or denies it: ${code}`, async () => {
      expect(await canTicket(refusing(code).client)).to.equal(false)
    })
  }

  /** A server that was a standby when it was asked first. */
  const standby = (second: () => Promise<unknown>) => {
    const answers = [() => Promise.reject(refusing('55000').error), second]
    return { query: () => answers.shift()!(), release() {} } as unknown as PgClientLike
  }

  it('is not decided by a standby, which refuses to write', async () => {
    const { error } = refusing('25006')
    expect(await rejectionOf(canTicket(standby(() => Promise.reject(error))))).to.equal(error)
  })

  it('is true for a standby that is promoted meanwhile', async () => {
    expect(await canTicket(standby(async () => ({ rows: [] })))).to.equal(true)
  })

  for (const code of ['57014', '53200', '40001', '58030']) {
    it(`is not decided by an error that may pass: ${code}`, async () => {
      const { client, error } = refusing(code)
      expect(await rejectionOf(canTicket(client))).to.equal(error)
    })
  }
})
