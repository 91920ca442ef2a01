import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { run } from '../../support/processes/run.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { countOf } from '../../support/writing.ts'

const cwd = fileURLToPath(new URL('../../../', import.meta.url))

describe('a process that writes', () => {
  const db = useDatabase()

  before(async () => {
    await db.pool.query(`CREATE TABLE kept (id int, data jsonb);
      CREATE TABLE many (id bigint, label text, amount numeric, at timestamptz, data jsonb)`)
  })

  const start = (fixture: string, args: unknown[], nodeOptions: string[] = []) => {
    const script = fileURLToPath(new URL(`fixtures/${fixture}.ts`, import.meta.url))
    const all = [...nodeOptions, '--import', 'tsx', script, db.connectionString, ...args.map(String)]
    return run(process.execPath, all, { cwd, timeoutMs: 25_000 })
  }

  for (const kind of ['server', 'value', 'event']) {
    it(`ends with an unhandled error without printing a row's value or the password: ${kind}`, async () => {
      const { status, stdout, stderr } = await start('unhandled', [kind])
      expect(status).to.equal(1)
      expect(stderr).to.contain('PgBatchError')
      expect(stderr).to.match(/code: '(REFUSED|VALUE_NOT_ENCODABLE)'/)
      expect(stdout + stderr).not.to.contain('hunter2')
      expect(stdout + stderr).not.to.contain(new URL(db.connectionString).password || 'hunter2')
    })
  }

  it('ends by itself when its streams have finished, failed, were destroyed or never used', async () => {
    const { status, stdout, stderr } = await start('ends-by-itself', [])
    expect(stderr).to.equal('')
    expect({ status, stdout }).to.deep.equal({ status: 0, stdout: 'the end of the script\n' })
    expect(await countOf(db.pool, 'kept WHERE id = 1')).to.equal(1)
  })

  it('takes at most 64 MB of heap, 256 MB with tsx, for 300,000 rows and a slow server', async () => {
    const { status, stdout, stderr } = await start('many-rows', [300_000, 2, 20], ['--max-old-space-size=64'])
    expect(stderr).to.equal('')
    expect(status).to.equal(0)
    const { rowsCommitted, peakBytes } = JSON.parse(stdout)
    expect(rowsCommitted).to.equal(300_000)
    expect(peakBytes).to.be.below(256 * 1024 * 1024)
    expect(await countOf(db.pool, 'many')).to.equal(300_000)
  })
})
