import { appendFile, truncate } from 'node:fs/promises'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { type Ended, run } from '../support.ts'

/** More than is read ahead of a server that waits: 40 MB. */
const ROWS = 40_000
const LINE = `1,${'x'.repeat(1000)}\n`

describe('pg-batch load, of a file that changes while it is read,', function () {
  this.timeout(60_000)
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() => database.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, note text)'))

  /** Changes the file while the load waits for a lock on its table. */
  async function loadWhile(change: (path: string) => Promise<void>, ...words: string[]): Promise<Ended> {
    const path = await file('changing.csv', `id,note\n${LINE.repeat(ROWS)}`)
    const client = await database.pool.connect()
    try {
      await client.query('BEGIN; LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE')
      const ended = run(['load', path, '-t', 't', ...words], { DATABASE_URL: database.connectionString })
      await until(
        'the load waits',
        async () => {
          const waiting = "SELECT FROM pg_locks WHERE relation = 't'::regclass AND NOT granted"
          return (await database.pool.query(waiting)).rowCount! > 0
        },
        20_000,
      )
      await change(path)
      await client.query('COMMIT')
      return await ended
    } finally {
      client.release()
    }
  }

  const count = async () => Number((await database.pool.query('SELECT count(*) FROM t')).rows[0].count)

  it('fails where the file is cut short at the end of a row', async () => {
    const half = 'id,note\n'.length + LINE.length * (ROWS / 2)
    const { status, stderr } = await loadWhile(path => truncate(path, half))
    expect(stderr).to.match(/changing\.csv: it was cut short while it was read: it had 40,\d+,\d+ bytes/)
    expect(status).to.equal(1)
    expect(await count()).to.be.at.most(ROWS / 2)
    for (const options of [['--single-transaction'], ['--workers=2', '--batch-size=100']]) {
      await database.pool.query('TRUNCATE t')
      const ended = await loadWhile(path => truncate(path, half), ...options)
      expect(ended, options.join(' ')).to.include({ status: 1 })
      if (options.includes('--single-transaction')) expect(await count()).to.equal(0)
    }
  })

  it('loads the rows that are appended meanwhile, and says so', async () => {
    const { status, stderr } = await loadWhile(path => appendFile(path, LINE))
    expect(stderr).to.include('changing.csv: was written to while it was read: its last row may be cut short')
    expect(status).to.equal(0)
    expect(await count()).to.equal(ROWS + 1)
  })
})
