import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('pg-batch load of a file without a line', () => {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(`DROP TABLE IF EXISTS t, made;
      CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)`),
  )

  const load = (words: string[], input?: string) =>
    run(words, { DATABASE_URL: database.connectionString }, input)

  const count = async () => (await database.pool.query('SELECT count(*)::int AS n FROM t')).rows[0].n

  for (const content of ['', '\n\n', '\ufeff']) {
    it(`leaves the table as it is with --truncate and --replace: ${JSON.stringify(content)}`, async () => {
      const path = await file('rows.ndjson', content)
      for (const [words, input] of [
        [['load', path, '-t', 't', '--replace']],
        [['load', path, '-t', 't', '--replace', '--allow-shrink']],
        [['load', path, '-f', 'csv', '-t', 't', '--replace']],
        [['load', path, '-t', 't', '--truncate']],
        [['load', '-', '-f', 'ndjson', '-t', 't', '--truncate'], content],
        [['load', '-', '-t', 't', '--truncate'], content],
      ] as [string[], string?][]) {
        const { status, stderr } = await load(words, input)
        expect(stderr).to.match(/: there is nothing in it(, not even a header)?\n$/)
        expect(status).to.equal(1)
        expect(await count()).to.equal(2)
      }
    })

    it(`is an error in a pipe, whose program may have failed: ${JSON.stringify(content)}`, async () => {
      const { status, stderr } = await load(['load', '-', '-f', 'ndjson', '-t', 't'], content)
      expect(stderr).to.equal('pg-batch: standard input: there is nothing in it\n')
      expect(status).to.equal(1)
    })

    it(`has no rows in a file: ${JSON.stringify(content)}`, async () => {
      const path = await file('rows.ndjson', content)
      for (const command of ['load', 'replay']) {
        const { status, stdout, stderr } = await load([command, path, '-t', 't'])
        expect(stderr).to.equal(`${path}: there is nothing in it\n`)
        expect(stdout).to.equal('t: 0 rows committed\n')
        expect(status).to.equal(0)
      }
      const made = await load(['load', path, '-t', 'made', '--create'])
      expect(made.stderr).to.equal(`${path}: there is nothing in it, and made is made without columns\n`)
    })
  }

  it('is reported to the log and the metrics, and not at all with --quiet', async () => {
    const path = await file('rows.ndjson', '')
    const metrics = await file('rows.prom', '')
    const logged = await load(['load', path, '-t', 't', '--log', 'json', '--metrics-file', metrics])
    const events = logged.stderr
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(events.map(({ event }) => event)).to.deep.equal(['note', 'start', 'end'])
    expect(events[0].message).to.equal(`${path}: there is nothing in it`)
    expect(events[2]).to.include({ outcome: 'done', rowsCommitted: 0 })
    const written = await readFile(metrics, 'utf8')
    expect(written).to.contain(`pg_batch_rows_committed_total{table="t",source="${path}"} 0\n`)
    const quiet = await load(['load', path, '-t', 't', '--quiet'])
    expect(quiet).to.include({ status: 0, stdout: '', stderr: '' })
  })

  it('is skipped among files that have lines', async () => {
    const paths = [await file('a.ndjson', ''), await file('b.ndjson', '{"id":3}\n')]
    const { status, stderr } = await load(['load', ...paths, '-t', 't', '--truncate'])
    expect(stderr).to.contain(`skipped ${paths[0]}: there is nothing in it\n`)
    expect(status).to.equal(0)
    expect(await count()).to.equal(1)
  })
})
