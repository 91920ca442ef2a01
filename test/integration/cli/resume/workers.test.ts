import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { seededRandom } from '../../../support/random.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { thorough, thoroughly } from '../../../support/thorough.ts'
import { countOf } from '../../../support/writing.ts'
import { run, start } from '../support.ts'

const LONG_NOTE = ' has a long note'.repeat(35)

describe('pg-batch load --resume --workers', () => {
  const database = useDatabase()
  const file = useFolder()
  const env = () => ({ DATABASE_URL: database.connectionString })

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS events, pg_batch_resume, pg_batch_checkpoint, pg_batch_rejects;
      CREATE TABLE events (id int, note text) -- no key: a row that is written twice stays twice`),
  )

  const load = (files: readonly string[], name: string, ...words: string[]) =>
    run(['load', ...files, '-t', 'events', '--resume', name, ...words], env())

  const csv = (rows: number, first = 1, note = '') =>
    `id,note\n${Array.from({ length: rows }, (_, i) => `${first + i},"row ${first + i}${note}"\n`).join('')}`

  async function stored(): Promise<{ rows: number; distinct: number; sum: string }> {
    const { rows } = await database.pool.query(
      'SELECT count(*)::int AS rows, count(DISTINCT id)::int AS distinct, sum(id)::text AS sum FROM events',
    )
    return rows[0]
  }
  const exactly = (rows: number) => ({ rows, distinct: rows, sum: String((rows * (rows + 1)) / 2) })

  /** Kills the load soon after it has written something. Returns whether it was at work. */
  async function kill(words: readonly string[], waitMs: number): Promise<boolean> {
    const running = start(words, env())
    const ended = running.ended.then(() => 'ended' as const)
    const before = await countOf(database.pool, 'events')
    while ((await Promise.race([ended, delay(5)])) !== 'ended') {
      if ((await countOf(database.pool, 'events')) !== before) break
    }
    const soon = await Promise.race([ended, delay(waitMs, 'late' as const)])
    running.process.kill('SIGKILL')
    await running.ended
    return soon === 'late'
  }

  for (const workers of thoroughly('3', '2')) {
    it(`leaves every row once, killed again and again, with ${workers} workers`, async function () {
      this.timeout(180_000)
      const KILLS = Math.max(3, thorough(6))
      const ROWS = 100_000 + 40_000 * KILLS
      const random = seededRandom(20261129 + Number(workers))
      // 6 MiB of rows end a transaction: with short rows a load of this size would have two
      const files = [
        await file('one.csv', csv(ROWS - 60_123, 1, LONG_NOTE)),
        await file('two.csv', csv(123, ROWS - 60_122, LONG_NOTE)),
        await file('three.csv', csv(60_000, ROWS - 59_999, LONG_NOTE)),
      ]
      const words = ['load', ...files, '-t', 'events', '--resume', 'big', '--batch-size', '200']
      let killedAtWork = 0
      for (let kills = 1; kills <= KILLS; kills++) {
        if (await kill([...words, '--workers', workers], random.integer(0, 40))) killedAtWork++
        const { rows, distinct } = await stored()
        expect(distinct, `rows after kill ${kills}`).to.equal(rows)
      }
      expect(killedAtWork).to.be.at.least(KILLS / 2)
      const { rows: before } = await stored()
      // another number of workers, and of rows in a batch, changes nothing
      const last = await load(files, 'big', '--workers', '4', '--batch-size', '333')
      expect(last.status, last.stderr).to.equal(0)
      const said = Number(/continuing after ([\d,]+) rows/.exec(last.stderr)![1]!.replaceAll(',', ''))
      expect(last.stderr).to.contain(`, with the ${workers} workers that it began with\n`)
      // a killed process's last COMMIT may be counted by now
      expect(said).to.be.at.least(before)
      expect(await stored()).to.deep.equal(exactly(ROWS))
    })
  }

  it('continues with one worker what one has begun', async () => {
    const path = await file('fails.csv', csv(2500))
    await database.pool.query('ALTER TABLE events ADD CONSTRAINT few CHECK (id <> 2222)')
    const first = await load([path], 'one', '--batch-size', '500')
    expect(first.status).to.equal(1)
    const { rows } = await stored()
    await database.pool.query('ALTER TABLE events DROP CONSTRAINT few')
    const second = await load([path], 'one', '--batch-size', '500', '--workers', '2')
    expect(second.stderr).to.match(
      /^--resume one: continuing after row 2,000, with the 1 worker that it began/,
    )
    expect(second.status).to.equal(0)
    expect(rows).to.equal(2000)
    expect(await stored()).to.deep.equal(exactly(2500))
  })

  it('continues after a row that failed, and names rows by their number in the file', async () => {
    const path = await file('mend.csv', csv(2500))
    await database.pool.query('ALTER TABLE events ADD CHECK (id <> 2222)')
    const words = ['--workers', '2', '--batch-size', '100']
    const first = await load([path], 'mend', ...words)
    expect(first.stderr).to.match(/row 2,222 \(line 2223\): /)
    const before = (await stored()).rows
    const second = await load([path], 'mend', ...words, '--reject-limit', '1', '--summary')
    expect(second.stderr).to.match(/23514 .* check_violation, row 2,222 /)
    expect(second.stderr).to.contain(`${before.toLocaleString('en')} │ written by an earlier run`)
    expect(second.status).to.equal(0)
    expect((await stored()).rows).to.equal(2499)
    const done = await load([path], 'mend', ...words)
    expect(done.stdout).to.match(/is complete: all 2,500 rows of the file were written/)
    // the printed statements forget the positions of all workers
    await database.pool.query('TRUNCATE events')
    await database.pool.query(/DELETE .*/.exec(done.stdout)![0])
    const again = await load([path], 'mend', ...words, '--reject-limit', '1')
    expect(again.stdout).to.match(/^events: 2,499 rows committed in 25 batches, 1 rejected/)
  })

  it('tries in a dry run the rows that are not in', async () => {
    const path = await file('dry.csv', csv(1000))
    await database.pool.query('ALTER TABLE events ADD CONSTRAINT few CHECK (id <> 950)')
    const words = ['--workers', '2', '--batch-size', '50']
    expect((await load([path], 'dry', ...words)).status).to.equal(1)
    const { rows } = await stored()
    await database.pool.query('ALTER TABLE events DROP CONSTRAINT few; CREATE UNIQUE INDEX ON events (id)')
    const { status, stdout } = await load([path], 'dry', ...words, '--dry-run=all')
    expect(stdout).to.match(new RegExp(`\\nTried ${1000 - rows} rows in a transaction that was rolled back`))
    expect(status).to.equal(0)
  })

  it('uses a table of loads that an earlier version has made', async () => {
    await database.pool.query(`CREATE TABLE pg_batch_resume (
      name text PRIMARY KEY, files jsonb NOT NULL, target text NOT NULL, reading text NOT NULL,
      started_at timestamptz NOT NULL DEFAULT now(), rows bigint, finished_at timestamptz)`)
    const path = await file('old.csv', csv(1000))
    const { status, stderr } = await load([path], 'old', '--workers', '2', '--batch-size', '50')
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal(exactly(1000))
    const { rows } = await database.pool.query('SELECT workers, chunk_rows FROM pg_batch_resume')
    expect(rows).to.deep.equal([{ workers: 2, chunk_rows: 50 }])
  })

  it('reads the lost rows again when the server has lost commits of one worker', async () => {
    const path = await file('lost.csv', csv(1000))
    const words = ['--workers', '2', '--batch-size', '50']
    await database.pool.query('ALTER TABLE events ADD CONSTRAINT few CHECK (id <> 1000)')
    expect((await load([path], 'lost', ...words)).status).to.equal(1)
    await database.pool.query('ALTER TABLE events DROP CONSTRAINT few')
    // as if the server had been restored: the second worker's rows and position are gone
    await database.pool.query(
      `DELETE FROM pg_batch_checkpoint WHERE name LIKE '%worker 2%';
       DELETE FROM events WHERE ((id - 1) / 50) % 2 = 1`,
    )
    const { status, stderr } = await load([path], 'lost', ...words)
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal(exactly(1000))
  })
})
