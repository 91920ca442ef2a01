import { chmod, readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { rowsOf } from '../../../support/writing.ts'
import { run } from '../support.ts'

describe('pg-batch load --resume, when the server has lost rows that it had committed', () => {
  const database = useDatabase()
  const file = useFolder()
  let proxy: FaultProxy

  beforeEach(async () => {
    await database.pool.query(`
      DROP TABLE IF EXISTS events, pg_batch_resume, pg_batch_checkpoint;
      CREATE TABLE events (id int CHECK (id <> 13 AND id <> 777), note text)`)
    proxy = await FaultProxy.start(Number(new URL(database.connectionString).port))
  })
  afterEach(() => proxy.stop())

  const load = (paths: readonly string[], ...words: string[]) => {
    const url = new URL(database.connectionString)
    url.port = String(proxy.port)
    return run(['load', ...paths, '-t', 'events', '--resume', 'r', ...words], { DATABASE_URL: url.href })
  }
  /** Runs SQL after so many commits, before the load hears of the last of them. */
  const afterCommit = (commits: number, sql: string) =>
    proxy.arm({
      direction: 'down',
      at: ({ name, text }) => name === 'CommandComplete' && text === 'COMMIT',
      skip: commits - 1,
      action: { do: 'call', run: async () => void (await database.pool.query(sql)) },
    })
  const csv = (from: number, to: number) =>
    `id,note\n${rowsOf(to - from, n => `${n},"row ${n}"`, from).join('\n')}\n`
  const ndjson = (from: number, to: number) =>
    rowsOf(to - from, n => `${JSON.stringify({ id: n, note: `row ${n}` })}\n`, from).join('')
  const lose = (id: number, positions: string) => `DELETE FROM events WHERE id > ${id}; ${positions}`

  const expectExactly = async (from: number, to: number, without: readonly number[] = []) => {
    const { rows } = await database.pool.query('SELECT id FROM events ORDER BY id')
    const expected = rowsOf(to - from, n => n, from).filter(n => !without.includes(n))
    expect(rows.length).to.equal(expected.length)
    expect(rows.map(({ id }) => id)).to.deep.equal(expected)
  }

  for (const [title, text] of [
    ['data.csv', csv(1, 250_001)],
    ['data.ndjson', ndjson(1, 250_001)],
  ] as const) {
    it(`reads ${title} again after the stored row, and ends with every row once`, async function () {
      this.timeout(60_000)
      const fired = afterCommit(2, lose(60_000, 'UPDATE pg_batch_checkpoint SET position = 60000'))
      await database.pool
        .query('ALTER TABLE events DROP CONSTRAINT events_check') // for any id
        .catch(() => database.pool.query('ALTER TABLE events DROP CONSTRAINT events_id_check'))
      const ended = await load([await file(title, text)])
      await fired
      expect(ended.status, ended.stderr).to.equal(0)
      expect(ended.stderr).to.include('reading again after row 60,000')
      await expectExactly(1, 250_001)
    })
  }

  it('notices it after the last commit, and counts each row once', async () => {
    const fired = afterCommit(1, lose(400, 'UPDATE pg_batch_checkpoint SET position = 400'))
    const rejects = await file('bad.ndjson', '')
    await chmod(rejects, 0o600) // others' eyes are refused
    const ended = await load([await file('a.csv', csv(1, 1001))], '--rejects', rejects)
    await fired
    expect(ended.status, ended.stderr).to.equal(0)
    await expectExactly(1, 1001, [13, 777])
    expect((await readFile(rejects, 'utf8')).match(/row 13/g)).to.have.lengthOf(1)
    expect((await load([await file('a.csv', csv(1, 1001))])).status).to.equal(1) // another file by its time
  })

  it('reads all rows again when the position is gone, or its whole table', async () => {
    for (const sql of ['DELETE FROM pg_batch_checkpoint', 'DROP TABLE pg_batch_checkpoint']) {
      await database.pool.query('TRUNCATE events; DROP TABLE IF EXISTS pg_batch_resume, pg_batch_checkpoint')
      const fired = afterCommit(1, lose(0, sql))
      const ended = await load([await file('b.csv', csv(1001, 2001))])
      await fired
      expect(ended.status, ended.stderr).to.equal(0)
      expect(ended.stderr).to.include('reading again from the first row')
      expect(ended.stdout).to.match(/^events: 1,000 rows committed in/)
      await expectExactly(1001, 2001)
    }
  })

  it('reads several files again from the one that the server has partly', async () => {
    const fired = afterCommit(
      1,
      lose(
        1300,
        `UPDATE pg_batch_checkpoint SET position = 300 WHERE partition LIKE '%first.csv';
        DELETE FROM pg_batch_checkpoint WHERE partition LIKE '%second.csv'`,
      ),
    )
    const paths = [await file('first.csv', csv(1001, 1601)), await file('second.csv', csv(1601, 2201))]
    const ended = await load(paths)
    await fired
    expect(ended.status, ended.stderr).to.equal(0)
    await expectExactly(1001, 2201)
    expect((await load(paths)).stdout).to.include('--resume r is complete')
  })

  it('creates a table with --create once, and fills it', async () => {
    await database.pool.query('DROP TABLE events')
    // the first COMMIT is that of CREATE TABLE
    const fired = afterCommit(2, lose(1400, 'UPDATE pg_batch_checkpoint SET position = 400'))
    const ended = await load([await file('c.csv', csv(1001, 2001))], '--create')
    await fired
    expect(ended.status, ended.stderr).to.equal(0)
    await expectExactly(1001, 2001)
  })

  it('gives up if the server undoes every commit', async () => {
    await database.pool.query(`CREATE FUNCTION take_back() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN NEW.position := 1; RETURN NEW; END $$`)
    const path = await file('d.csv', csv(1001, 2001))
    await load([path])
    await database.pool.query(`DELETE FROM pg_batch_resume; DELETE FROM pg_batch_checkpoint; TRUNCATE events;
      CREATE TRIGGER t BEFORE UPDATE ON pg_batch_checkpoint FOR EACH ROW EXECUTE FUNCTION take_back()`)
    const ended = await load([path])
    expect(ended.status).to.equal(1)
    expect(ended.stderr).to.include('the server has lost commits')
  })
})
