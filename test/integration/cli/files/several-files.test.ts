import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { run, start } from '../support.ts'

describe('pg-batch load, of several files,', () => {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS events, made, pg_batch_resume, pg_batch_checkpoint;
      CREATE TABLE events (id int, note text)`),
  )

  const load = (...words: string[]) => run(['load', ...words], { DATABASE_URL: database.connectionString })

  const csv = (from: number, to: number) =>
    `Id;remark\n${Array.from({ length: to - from + 1 }, (_, i) => `${from + i};"row, ${from + i}"`).join('\n')}\n`

  async function stored(table = 'events'): Promise<{ rows: number; distinct: number }> {
    const { rows } = await database.pool.query(
      `SELECT count(*)::int AS rows, count(DISTINCT id)::int AS distinct FROM ${table}`,
    )
    return rows[0]
  }

  async function parts(...sizes: number[]): Promise<string[]> {
    const paths: string[] = []
    let from = 1
    for (const [index, size] of sizes.entries()) {
      paths.push(await file(`part-${index}.csv`, csv(from, from + size - 1)))
      from += size
    }
    return paths
  }

  it('names the file and the row of a rejected row, in the file, the summary and the log', async () => {
    const paths = await parts(3, 4)
    await database.pool.query('ALTER TABLE events ADD CHECK (id <> 5)')
    const rejects = `${paths[0]}.rejects.ndjson`
    const words = [...paths, '-t', 'events', '--map', 'remark=note', '--rejects', rejects]
    const { status, stderr } = await load(...words, '--summary')
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/23514 .* check_violation, row 2 of part-1\.csv /)
    for (const line of stderr.split('\n').filter(line => line.includes('│'))) {
      expect(line.length).to.be.at.most(80)
    }
    const [line] = (await readFile(rejects, 'utf8')).split('\n')
    expect(JSON.parse(line!)).to.deep.include({
      source_partition: paths[1],
      source_offset: '2',
      row: { id: '5', note: 'row, 5' },
    })
    const log = (await load(...words, '--log', 'json')).stderr.trim().split('\n')
    const events = log.map(text => JSON.parse(text))
    expect(events.find(({ event }) => event === 'reject')).to.include({ row: 2, file: paths[1] })
    const end = events.at(-1)
    expect(end.bytesRead).to.equal(end.bytesTotal)
  })

  it('does not read the file of its own rejected rows', async () => {
    const path = await file('rows.ndjson', '{"id":1}\n')
    const rejects = await file('bad.ndjson', '{"id":2}\n')
    const ended = await load(`${dirname(path)}/*.ndjson`, '-t', 'events', '--rejects', rejects)
    expect(ended.stderr).to.match(/--rejects names the file that is read/)
    expect(ended.status).to.equal(2)
  })

  it('continues in the middle of one, and knows when all are complete', async () => {
    const paths = await parts(1500, 0, 1500, 1000)
    const words = [
      ...paths,
      '-t',
      'events',
      '--map',
      'remark=note',
      '--resume',
      'all',
      '--batch-size',
      '1000',
    ]
    await database.pool.query('ALTER TABLE events ADD CONSTRAINT bad CHECK (id <> 2222)')
    const first = await load(...words)
    expect(first.stderr).to.match(/part-2\.csv: row 722 \(line 723\): .*; 1,500 rows committed\n$/)
    await database.pool.query('ALTER TABLE events DROP CONSTRAINT bad')
    const second = await load(...words)
    expect(second.stderr).to.contain('--resume all: continuing after row 1,500\n')
    expect(second.stdout).to.match(/^events: 2,500 rows committed in 3 batches, 1,500 written before, /)
    expect(await stored()).to.deep.equal({ rows: 4000, distinct: 4000 })
    const { rows } = await database.pool.query(
      'SELECT position::int FROM pg_batch_checkpoint ORDER BY partition',
    )
    expect(rows.map(({ position }) => position)).to.deep.equal([1500, 1500, 1000])
    const third = await load(...words)
    expect(third.stdout).to.match(/--resume all is complete: all 4,000 rows of the 4 files were written on /)
    const fewer = await load(...words.slice(1))
    expect(fewer.stderr).to.match(/--resume all is the load of .*part-0\.csv, .*; use another name for/)
    const other = await load(...words, '--quote', 'none')
    expect(other.stderr).to.match(
      /--resume all reads csv, .*; not csv, .*, quote none, map .*; the same options continue the load; use another name for/,
    )
    expect((await stored()).rows).to.equal(4000)
  })

  it('creates the table once with --create, killed and run again', async function () {
    this.timeout(120_000)
    // more rows than a transaction takes: one is committed before the last row, which waits for the lock
    const paths = await parts(80_000, 80_000)
    await database.pool.query(`
      CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN true; END $$;
      CREATE DOMAIN remark AS text CHECK (VALUE <> 'row, 160000' OR gate())`)
    const options = ['--create', '--map', 'Id=id', '--type', 'remark=remark', '--resume', 'made']
    const words = ['load', ...paths, '-t', 'made', ...options]
    const env = { DATABASE_URL: database.connectionString }
    const holder = await database.pool.connect()
    try {
      await holder.query('SELECT pg_advisory_lock(1)')
      const running = start([...words, '--batch-size', '200'], env)
      const written = () => stored('made').catch(() => ({ rows: 0 }))
      await until('a transaction is committed', async () => (await written()).rows > 0, 60_000)
      running.process.kill('SIGKILL')
      await running.ended
    } finally {
      holder.release(true)
    }
    const { status, stderr } = await run(words, env)
    expect(status, stderr).to.equal(0)
    expect(stderr)
      .to.match(/continuing after row/)
      .and.not.match(/CREATE TABLE/)
    expect(await stored('made')).to.deep.equal({ rows: 160_000, distinct: 160_000 })
    expect((await load(...words.slice(1, -2))).stderr).to.match(/the table "made" exists already/)
  })

  it('checks the rows of a resumed --create like those of the first run, in an empty table that exists', async () => {
    const ids = Array.from({ length: 199_999 }, (_, i) => i + 1) // so far that no read-ahead gets there
    const path = await file('zeros.csv', `id\n${ids.join('\n')}\n007\n`)
    const words = [path, '-t', 'made', '--create', '--resume', 'zeros', '--batch-size', '1000']
    await database.pool.query('CREATE TABLE made (id int CONSTRAINT bad CHECK (id <> 1500))')
    expect((await load(...words)).stderr).to.match(
      /zeros\.csv: row 1,500 \(line 1501\): .*; 1,000 rows committed\n$/,
    )
    await database.pool.query('ALTER TABLE made DROP CONSTRAINT bad')
    const { stderr, status } = await load(...words)
    expect(stderr).to.match(/^--resume zeros: continuing after row 1,000\n/)
    expect(stderr).to.match(
      /zeros\.csv: row 200,000 \(line 200001\): the value of "id" is not integer, .* committed\n$/,
    )
    expect(status).to.equal(1)
  })
})
