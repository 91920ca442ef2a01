import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('pg-batch load of a small file', function () {
  this.timeout(60_000)
  const database = useDatabase()
  const file = useFolder()
  let proxy: FaultProxy

  beforeEach(async () => {
    await database.pool.query('DROP TABLE IF EXISTS small; CREATE TABLE small (id int PRIMARY KEY, n text)')
    proxy = await FaultProxy.start(Number(new URL(database.connectionString).port))
  })
  afterEach(() => proxy.stop())

  /** Returns the statements that a load sends, by their first words. */
  async function statements(...words: string[]): Promise<string[]> {
    const sent: string[] = []
    const watching = proxy.arm({
      direction: 'up',
      at: ({ name, text }) => {
        if (name === 'Query' || name === 'Parse') sent.push(text.trim().replace(/\s+/g, ' '))
        return false
      },
      action: { do: 'cut' },
    })
    watching.catch(() => {})
    const url = Object.assign(new URL(database.connectionString), { hostname: '127.0.0.1', port: proxy.port })
    const rows = Array.from({ length: 100 }, (_, id) => `${id},text ${id}`)
    const path = await file('small.csv', `id,n\n${rows.join('\n')}\n`)
    const ended = await run(['load', path, '-t', 'small', ...words], { DATABASE_URL: url.href })
    expect(ended.status, ended.stderr).to.equal(0)
    const { rows: stored } = await database.pool.query('SELECT count(*)::int FROM small')
    expect(stored).to.deep.equal([{ count: 100 }])
    return sent
  }

  it('asks for the table once, and sends no more than four statements', async () => {
    const sent = await statements()
    expect(sent.map(text => /^\w+/.exec(text)![0])).to.deep.equal(['WITH', 'SELECT', 'BEGIN', 'SELECT'])
    expect(sent[3]).to.match(/COMMIT$/)
  })

  it('asks for the table once with --on-conflict, too', async () => {
    const sent = await statements('--on-conflict', 'id')
    expect(sent.filter(text => text.startsWith('WITH RECURSIVE target'))).to.have.length(1)
  })
})
