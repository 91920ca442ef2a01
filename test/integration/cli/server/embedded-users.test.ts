import { expect } from 'chai'
import { type EmbeddedServer, startEmbeddedServer } from '../../../../lib/embedded/embedded-server.ts'
import { becomeLastUser, joinUsers } from '../../../../lib/embedded/embedded-users.ts'

describe('the users of an embedded server', () => {
  let server: EmbeddedServer
  before(async function () {
    this.timeout(60_000)
    server = await startEmbeddedServer({ durable: false })
  })
  after(() => server.stop())

  it('no process begins to use a server that is about to stop', async () => {
    const last = await becomeLastUser(server.connectionString, () => {})
    expect(await joinUsers(server.connectionString, server.dataDir)).to.equal(undefined)
    await last()
    const leave = await joinUsers(server.connectionString, server.dataDir)
    expect(leave).to.be.a('function')
    await leave!()
  })

  it('a server does not stop while others use it', async () => {
    const leave = [
      await joinUsers(server.connectionString, server.dataDir),
      await joinUsers(server.connectionString, server.dataDir),
    ]
    const order: string[] = []
    const last = await becomeLastUser(server.connectionString, async sessions => {
      order.push(`${sessions} others`)
      for (const each of leave) await each!()
      order.push('they have left')
    })
    expect(order).to.deep.equal(['2 others', 'they have left'])
    await last()
  })

  it('another data directory has another server', async () => {
    expect(await joinUsers(server.connectionString, `${server.dataDir}-2`)).to.equal(undefined)
    const last = await becomeLastUser(server.connectionString, () => expect.fail('a session was left'))
    await last()
  })
})
