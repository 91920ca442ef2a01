import { expect } from 'chai'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import { canTicket } from '../../../../lib/connection/transaction/outcome.ts'
import { rejectionOf } from '../../../support/writing.ts'

const refusing = (code: string) => {
  const error = Object.assign(new Error('refused'), { severity: 'ERROR', code })
  return { error, client: { query: () => Promise.reject(error), release() {} } as unknown as PgClientLike }
}

describe('whether the server can tell the outcome of a transaction', () => {
  for (const code of ['42883', '42501', '0A000', '42601']) {
    it(`is denied by what the server does not have or does not let in: ${code}`, async () => {
      expect(await canTicket(refusing(code).client)).to.equal(false)
    })
  }

  it('is expected of a standby, for when it is promoted', async () => {
    expect(await canTicket(refusing('55000').client)).to.equal(true)
  })

  for (const code of ['57014', '53200', '40001', '58030']) {
    it(`is not denied by what may pass: ${code}`, async () => {
      const { client, error } = refusing(code)
      expect(await rejectionOf(canTicket(client))).to.equal(error)
    })
  }
})
