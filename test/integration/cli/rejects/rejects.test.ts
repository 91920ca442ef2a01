import { chmod, lstat, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { until } from '../../../support/until.ts'
import { start } from '../support.ts'
import { usePeople } from './people.ts'

describe('pg-batch load --rejects', () => {
  const { database, file, pgBatch, fresh, linesOf, inOrder, stored } = usePeople()

  /** Rows 3, 8, 13, … have an age that is no number; all others are fine. */
  function people(count: number): string {
    const rows = Array.from({ length: count }, (_, i) => `${i + 1},${i % 5 === 2 ? 'secret' : i}`)
    return `id,age\n${rows.join('\n')}\n`
  }

  it('commits the good rows and keeps the bad ones with their number in the file, readable by the owner only', async () => {
    const rejects = await fresh()
    const path = await file('people.csv', people(20))
    const ended = await pgBatch('load', path, '-t', 'people', '--rejects', rejects, '--batch-size', '6')
    expect(ended.stderr).to.equal(
      `4 rows rejected, in ${rejects}; correct them and run: pg-batch replay ${rejects} --table people\n`,
    )
    expect(ended.stdout).to.match(/^people: 16 rows committed in 4 batches, 4 rejected, /)
    expect(ended.status).to.equal(0)
    const lines = await inOrder(rejects)
    expect(
      lines.map(line => [line.source_offset, line.source_partition, line.sqlstate, line.row]),
    ).to.deep.equal([3, 8, 13, 18].map(n => [String(n), path, '22P02', { id: String(n), age: 'secret' }]))
    expect((await stat(rejects)).mode & 0o777).to.equal(0o600)
  })

  for (const [way, make] of [
    ['COPY', ''],
    // which takes no COPY
    ['INSERT', 'ALTER TABLE people RENAME TO all_people; CREATE VIEW people AS SELECT * FROM all_people'],
  ]) {
    it(`names the line of a record with too many or too few fields, and keeps the fields: ${way}`, async () => {
      await database.pool.query(`DROP TABLE IF EXISTS all_people CASCADE; ${make}`)
      const rejects = await fresh()
      const path = await file('ragged.csv', 'id,age,doc\n1,1,"[\n1]"\n2\n3,3,,x,""\n\n4,,""\n5,5,\n')
      const failed = await pgBatch('load', path, '-t', 'people')
      expect(failed.stderr).to.equal(
        `pg-batch: ${path}: row 2: the record that begins on line 4 has 1 field, the file has 3 columns; ` +
          '--rejects FILE keeps such records and loads the others, --lenient repairs those whose meaning is clear; ' +
          'nothing committed\n',
      )
      const ended = await pgBatch('load', path, '-t', 'people', '--rejects', rejects)
      expect(ended.stdout).to.match(/^people: 2 rows committed in 1 batch, 3 rejected, /)
      const lines = await inOrder(rejects)
      expect(lines.map(({ source_offset, code, row }) => [source_offset, code, row])).to.deep.equal([
        ['2', 'VALUE_NOT_ENCODABLE', { id: '2', pg_batch_raw: '2' }],
        [
          '3',
          'VALUE_NOT_ENCODABLE',
          { id: '3', age: '3', doc: null, column_4: 'x', column_5: '', pg_batch_raw: '3,3,,x,""' },
        ],
        ['4', 'REFUSED', { id: '4', age: null, doc: '' }],
      ])
      expect(lines[1]!.message).to.match(
        /^the record that begins on line 5 has 5 fields, the file has 3 columns/,
      )
      expect(await stored()).to.deep.equal([
        { id: 1, age: 1, doc: [1] },
        { id: 5, age: 5, doc: null },
      ])
      // nothing says which columns its fields belong to
      const asItIs = await pgBatch('replay', rejects, '-t', 'people')
      expect(asItIs.stderr).to.match(
        /row 1 \(line 1\): The record had too few or too many fields: .*, and remove pg_batch_raw; nothing committed/,
      )
      await writeFile(rejects, '{"id":"2"}\n')
      expect((await pgBatch('replay', rejects, '-t', 'people')).stdout).to.match(/^people: 1 row committed/)
    })
  }

  it('creates no file if no row is bad', async () => {
    const rejects = await fresh()
    const path = await file('good.csv', 'id\n1\n')
    expect(await pgBatch('load', path, '-t', 'people', '--rejects', rejects)).to.include({
      status: 0,
      stderr: '',
    })
    expect(await stat(rejects).catch(error => error.code)).to.equal('ENOENT')
  })

  it('is refused at once if the file cannot be written', async () => {
    const path = await file('good.csv', 'id\n1\n')
    for (const [rejects, why] of [
      ['/no/such/place', 'there is no such directory'],
      ['/', 'is a directory, not a file'],
    ]) {
      const ended = await pgBatch('load', path, '-t', 'people', '--rejects', rejects!)
      expect(ended).to.include({ status: 2, stdout: '', stderr: `pg-batch: ${rejects}: ${why}\n` })
    }
    expect(await stored()).to.deep.equal([])
  })

  it('is refused if other users can read the file, with the chmod that helps', async function () {
    if (process.platform === 'win32') this.skip() // which has no such modes
    const path = await file('people.csv', people(20))
    const rejects = await file("it's open.ndjson", '{"kept":1}\n')
    for (const mode of [0o644, 0o640, 0o604, 0o602]) {
      await chmod(rejects, mode)
      const ended = await pgBatch('load', path, '-t', 'people', '--rejects', rejects)
      expect(ended).to.include({ status: 2, stdout: '' })
      expect(ended.stderr)
        .to.contain(`(mode ${mode.toString(8)})`)
        .and.to.match(/: chmod 600 '.*'\n$/)
      expect(await stored()).to.deep.equal([])
    }
    await chmod(rejects, 0o600)
    const ended = await pgBatch('load', path, '-t', 'people', '--rejects', rejects)
    expect(ended.status, ended.stderr).to.equal(0)
    expect(await linesOf(rejects)).to.have.length(5)
  })

  for (const words of [[], ['--resume', 'planted']]) {
    it(`is not written through a symbolic link, planted before or while the load runs ${words.join(' ')}`, async function () {
      if (process.platform === 'win32') this.skip()
      await database.pool.query('DROP TABLE IF EXISTS pg_batch_resume, pg_batch_checkpoint, pg_batch_rejects')
      const path = await file('people.csv', people(20))
      const victim = await file('victim', 'precious\n')
      await chmod(victim, 0o600)
      const rejects = await fresh()
      await symlink(victim, rejects)
      const load = ['load', path, '-t', 'people', '--rejects', rejects, ...words]
      const refused = await pgBatch(...load)
      expect(refused.stderr).to.equal(
        `pg-batch: ${rejects}: is a symbolic link, which is not followed; name the file that it leads to\n`,
      )
      expect(refused).to.include({ status: 2, stdout: '' })

      await rm(rejects)
      const locker = await database.pool.connect()
      try {
        await locker.query('BEGIN; LOCK TABLE people')
        const running = start(load, { DATABASE_URL: database.connectionString })
        await until('the load waits for the table', async () => {
          const { rows } = await database.pool.query(
            `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND relation = 'people'::regclass`,
          )
          return rows[0].n > 0
        })
        await symlink(victim, rejects)
        await locker.query('COMMIT')
        const failed = await running.ended
        expect(failed.stderr).to.contain('ELOOP')
        expect(failed.status).to.equal(1)
      } finally {
        locker.release()
      }
      expect(await readFile(victim, 'utf8')).to.equal('precious\n')
    })
  }

  it('does not write through a link at the name of the metrics file, or of its next version', async function () {
    if (process.platform === 'win32') this.skip()
    const path = await file('good.csv', 'id\n1\n')
    const victim = await file('victim', 'precious\n')
    const metrics = `${await fresh()}.prom`
    await symlink(victim, metrics)
    const running = start(['load', path, '-t', 'people', '--metrics-file', metrics], {
      DATABASE_URL: database.connectionString,
    })
    await symlink(victim, `${metrics}.${running.process.pid}.tmp`)
    expect((await running.ended).status).to.equal(0)
    expect(await readFile(victim, 'utf8')).to.equal('precious\n')
    expect(await readFile(metrics, 'utf8')).to.contain('pg_batch_rows_committed_total')
    expect((await lstat(metrics)).isSymbolicLink()).to.equal(false)
  })

  it('fails the load when a bad row cannot be kept', async function () {
    if (process.platform !== 'linux') this.skip() // elsewhere there is no /dev/full, a disk that is always full
    const path = await file('people.csv', people(20))
    for (const words of [[], ['--workers', '2']]) {
      await database.pool.query('TRUNCATE people')
      const ended = await pgBatch('load', path, '-t', 'people', '--rejects', '/dev/full', ...words)
      expect(ended.stderr).to.match(
        /^pg-batch: people: rejected rows cannot be kept: ENOSPC[^\n]*; 16 rows committed\n$/,
      )
      expect(ended).to.include({ status: 1, stdout: '' })
    }
  })

  it('rejects as many rows as --reject-limit allows, and no more', async () => {
    const path = await file('people.csv', people(20))
    const allowed = await pgBatch('load', path, '-t', 'people', '--reject-limit', '4')
    expect(allowed.status).to.equal(0)
    expect(allowed.stderr).to.match(/^4 rows rejected and not kept: --rejects FILE keeps such rows$/m)
    await database.pool.query('TRUNCATE people')
    const ended = await pgBatch('load', path, '-t', 'people', '--reject-limit', '3')
    expect(ended.stderr).to.match(
      /row 18 \(line 19\): not a valid integer for "age" \(22P02\); more than 3 rows would be rejected; nothing committed\n$/,
    )
    expect(ended).to.include({ status: 1, stdout: '' })
  })

  it('compares a share at the end', async () => {
    const path = await file('people.csv', people(20))
    expect((await pgBatch('load', path, '-t', 'people', '--reject-limit', '20%')).status).to.equal(0)
    await database.pool.query('TRUNCATE people')
    const ended = await pgBatch('load', path, '-t', 'people', '--reject-limit', '19.9%')
    expect(ended.stderr).to.equal(
      `pg-batch: ${path}: 4 of 20 rows rejected, more than 19.9%; 16 rows committed\n`,
    )
    expect(ended).to.include({ status: 1, stdout: '' })
  })

  it('compares a share after 1,000 rows while the load runs, and does not read the rest of the file', async () => {
    const path = await file('many.csv', people(200_000))
    const words = ['--reject-limit', '1%', '--batch-size', '1000']
    const ended = await pgBatch('load', path, '-t', 'people', ...words)
    expect(ended.stderr).to.match(/rejected, more than 1%; [\d,]+ rows committed\n$/)
    expect(ended.status).to.equal(1)
    expect((await stored()).length).to.be.within(800, 100_000)
  })
})
