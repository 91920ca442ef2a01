import { readFile, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { seededRandom } from '../../../support/random.ts'
import { thorough } from '../../../support/thorough.ts'
import { until } from '../../../support/until.ts'
import { countOf } from '../../../support/writing.ts'
import { run, start } from '../support.ts'
import { useEvents } from './events.ts'

describe('pg-batch load --resume', () => {
  const { database, file, env, load, csv, stored, exactly } = useEvents()

  it('has each rejected row in its table or in its file, once, whenever it is killed', async function () {
    this.timeout(180_000)
    const KILLS = Math.max(4, thorough(8))
    const ROWS = 2_000 * KILLS
    const random = seededRandom(20261128)
    await database.pool.query('ALTER TABLE events ADD CONSTRAINT few CHECK (id % 10 <> 0)')
    const path = await file('rejects.csv', csv(ROWS))
    const rejects = `${path}.rejected.ndjson`
    const words = [
      'load',
      path,
      '-t',
      'events',
      '--resume',
      'kept',
      '--rejects',
      rejects,
      '--batch-size',
      '100',
    ]
    const inFile = async () => {
      const text = await readFile(rejects, 'utf8').catch(() => '')
      // a line that was cut is still in the table
      const whole = text
        .slice(0, text.lastIndexOf('\n') + 1)
        .split('\n')
        .slice(0, -1)
      return whole.map(line => JSON.parse(line) as { id: string; source_offset: string; row: { id: string } })
    }
    const sizeOf = (path: string) =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      )
    const inTable = async () => {
      const { rows } = await database.pool.query(
        `SELECT letter_id::text AS id, "row"->>'id' AS row_id FROM pg_batch_rejects`,
      )
      return rows as { id: string; row_id: string }[]
    }
    const reached = async () => {
      const { rows } = await database.pool.query(
        `SELECT coalesce(max(position), 0)::int AS n FROM pg_batch_checkpoint`,
      )
      return rows[0].n as number
    }
    await database.pool.query('DROP TABLE IF EXISTS pg_batch_rejects')
    let kills = 0
    for (; kills < KILLS; kills++) {
      const running = start(words, env())
      const ended = running.ended.then(() => 'ended' as const)
      const before = (await inFile()).length
      let size = await sizeOf(rejects)
      while ((await Promise.race([ended, delay(2)])) !== 'ended') {
        const grown = await sizeOf(rejects)
        if (grown !== size && (await inFile()).length !== before) break
        size = grown
      }
      if ((await Promise.race([ended, delay(random.integer(0, 30), 'late' as const)])) === 'ended') break
      running.process.kill('SIGKILL')
      await running.ended
      // the server ends what the killed process had begun
      await until('its sessions are gone', async () => {
        const { rows } = await database.pool.query(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pg-batch'`,
        )
        return rows[0].n === 0
      })
      const letters = new Map((await inFile()).map(({ id, row }) => [id, row.id]))
      const table = await inTable()
      for (const { id, row_id } of table) letters.set(id, row_id)
      const rejected = Math.floor((await reached()) / 10)
      expect(letters.size, `rejected rows after kill ${kills}`).to.equal(rejected)
      expect(new Set(letters.values()).size).to.equal(rejected)
    }
    expect(kills, 'killed at work').to.be.at.least(KILLS / 2 + 1)
    const last = await run(words, env())
    expect(last.status, last.stderr).to.equal(0)
    expect(await inTable()).to.deep.equal([])
    const numbers = (await inFile()).map(({ row }) => Number(row.id)).sort((a, b) => a - b)
    expect(numbers).to.deep.equal(Array.from({ length: ROWS / 10 }, (_, i) => (i + 1) * 10))
    expect((await inFile()).every(({ row, source_offset }) => row.id === source_offset)).to.equal(true)
    expect((await stored()).rows).to.equal(ROWS - ROWS / 10)
  })

  it('keeps rejected rows in a table if their file cannot be written', async function () {
    if (process.platform !== 'linux') this.skip() // elsewhere there is no /dev/full, a disk that is always full
    await database.pool.query('DROP TABLE IF EXISTS pg_batch_rejects')
    const path = await file('waits.csv', 'id,note\n1,a\nx,b\n{2},c\n')
    const failed = await load(path, 'waits', '--rejects', '/dev/full')
    expect(failed.stderr).to.match(
      /^pg-batch: events: rejected rows cannot be written to their file: ENOSPC.*; run the same command again to write those that wait in the table pg_batch_rejects; 1 row committed\n$/,
    )
    expect(failed.status).to.equal(1)
    const { rows } = await database.pool.query(
      'SELECT file, source_partition, source_offset::text, "row" FROM pg_batch_rejects ORDER BY source_offset',
    )
    expect(rows).to.deep.equal([
      { file: '/dev/full', source_partition: path, source_offset: '2', row: { id: 'x', note: 'b' } },
      { file: '/dev/full', source_partition: path, source_offset: '3', row: { id: '{2}', note: 'c' } },
    ])
    const again = await load(path, 'waits', '--rejects', '/dev/full')
    expect(again.stderr).to.contain('ENOSPC').and.to.contain('nothing committed')
  })

  it('leaves every row once in a table without a key, killed again and again at random moments', async function () {
    this.timeout(180_000)
    const KILLS = Math.max(4, thorough(10))
    const ROWS = 30_000 * KILLS
    const random = seededRandom(20261123)
    // so long that a transaction is full after some 25,000: there is a commit for each kill
    const path = await file('big.csv', csv(ROWS, '.'.repeat(240)))
    let kills = 0
    let killedAtWork = 0
    while (kills < KILLS) {
      const running = start(
        ['load', path, '-t', 'events', '--resume', 'nightly', '--batch-size', '200'],
        env(),
      )
      const ended = running.ended.then(() => 'ended' as const)
      const before = await countOf(database.pool, 'events')
      // killed while it is at work, so that there is something to lose
      while ((await Promise.race([ended, delay(5)])) !== 'ended') {
        if ((await countOf(database.pool, 'events')) !== before) break
      }
      const soon = await Promise.race([ended, delay(random.integer(0, 40), 'late' as const)])
      running.process.kill('SIGKILL')
      await running.ended
      kills++
      if (soon === 'late') killedAtWork++
      const { rows, distinct } = await stored()
      expect(distinct, `rows after kill ${kills}`).to.equal(rows)
    }
    expect(killedAtWork).to.be.at.least(Math.ceil(KILLS * 0.3))
    const last = await load(path, 'nightly')
    expect(last.status, last.stderr).to.equal(0)
    expect(await stored()).to.deep.equal(exactly(ROWS))
  })

  it('reports that a load is complete, and reads nothing', async () => {
    const path = await file('done.csv', csv(10))
    const first = await load(path, 'done')
    expect(first).to.include({ status: 0, stderr: '' })
    const second = await load(path, 'done')
    expect(second.stdout).to.match(
      /^events: --resume done is complete: all 10 rows of the file were written on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; to write them again, [^\n]+\n$/,
    )
    expect(second).to.include({ status: 0, stderr: '' })
    expect(await stored()).to.deep.equal(exactly(10))
  })

  it('starts again after the name was deleted by the printed statements', async () => {
    const path = await file('again.csv', csv(10))
    await load(path, "Ada's")
    const { stdout } = await load(path, "Ada's")
    await database.pool.query('TRUNCATE events')
    await database.pool.query(/DELETE .*/.exec(stdout)![0])
    expect((await load(path, "Ada's")).stdout).to.match(/^events: 10 rows committed/)
    expect(await stored()).to.deep.equal(exactly(10))
  })

  it('continues after a row that failed, prints from where, and names rows by their number in the file', async () => {
    const path = await file('fails.csv', csv(2500))
    await database.pool.query('ALTER TABLE events ADD CHECK (id <> 2222)')
    const first = await load(path, 'mend')
    expect(first.stderr).to.match(/row 2,222 \(line 2223\): .*; 2,000 rows committed\n$/)
    const second = await load(path, 'mend', '--reject-limit', '1', '--summary')
    expect(second.stderr).to.match(/^--resume mend: continuing after row 2,000\n/)
    expect(second.stderr).to.match(/23514 .* check_violation, row 2,222 /)
    expect(second.stderr).to.match(/skipped +│ +2,000 │ written by an earlier run/)
    expect(second.stdout).to.match(
      /^events: 499 rows committed in 1 batch, 1 rejected, 2,000 written before, /,
    )
    expect(second.status).to.equal(0)
    expect((await stored()).rows).to.equal(2499)
  })

  it('commits the rows that were read at Ctrl-C, prints how to continue, and continues there', async function () {
    this.timeout(60_000)
    const ROWS = 300_000
    const path = await file('stopped.csv', csv(ROWS))
    const running = start(['load', path, '-t', 'events', '--resume', 'stop', '--batch-size', '1000'], env())
    while ((await stored()).rows === 0 && running.process.exitCode === null) await delay(5)
    running.process.kill('SIGINT')
    const { status, stderr, stdout } = await running.ended
    expect(stderr).to.match(
      /interrupted; [\d,]+ rows committed; the same command, with --resume stop, continues from there\n$/,
    )
    expect({ status, stdout }).to.deep.equal({ status: 130, stdout: '' })
    const said = Number(/([\d,]+) rows committed/.exec(stderr)![1]!.replaceAll(',', ''))
    expect(await stored()).to.deep.equal(exactly(said))
    expect(said).to.be.lessThan(ROWS)
    expect((await load(path, 'stop')).status).to.equal(0)
    expect(await stored()).to.deep.equal(exactly(ROWS))
  })
})
