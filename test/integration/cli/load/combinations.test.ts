import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { run, start } from '../support.ts'

describe('pg-batch load, with options combined:', () => {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS made, events, pg_batch_resume, pg_batch_checkpoint;
      CREATE TABLE events (id int CONSTRAINT bad CHECK (id <> 2222), note text)`),
  )

  const env = () => ({ DATABASE_URL: database.connectionString })
  const load = (...words: string[]) => run(['load', ...words], env())
  const query = async (text: string) =>
    (await database.pool.query({ text, rowMode: 'array' })).rows as unknown[][]
  const counts = async (table: string) =>
    (await query(`SELECT count(*)::int, count(DISTINCT id)::int FROM ${table}`))[0]
  const csv = (rows: number) =>
    `id,note\n${Array.from({ length: rows }, (_, i) => `${i + 1},"röw ${i + 1}"`).join('\n')}\n`
  const madeExists = async () => (await query("SELECT to_regclass('made') IS NOT NULL"))[0]![0]

  const rowsMade = async () => ((await madeExists()) ? Number((await counts('made'))![0]) : 0)

  it('--truncate empties the table once, and --rejects keeps the rows that are refused', async () => {
    await database.pool.query("INSERT INTO events VALUES (-1, 'old')")
    const path = await file('truncate.csv', csv(3000))
    const rejects = `${path}.rejects`
    const { status, stderr } = await load(path, '-t', 'events', '--truncate', '--rejects', rejects)
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/^events: emptied\n1 row rejected, in /)
    expect(JSON.parse(await readFile(rejects, 'utf8'))).to.deep.include({
      source_offset: '2222',
      row: { id: '2222', note: 'röw 2222' },
    })
    expect(await query('SELECT count(*)::int, min(id) FROM events')).to.deep.equal([[2999, 1]])
  })

  it('--truncate leaves the table as it was when rejects cannot be kept', async () => {
    await database.pool.query("INSERT INTO events VALUES (-1, 'old')")
    const path = await file('kept.csv', csv(1))
    const { status } = await load(path, '-t', 'events', '--truncate', '--rejects', '/no/such/place')
    expect(status).to.equal(2)
    expect(await counts('events')).to.deep.equal([1, 1])
  })

  const encoded: [title: string, name: string, encode: (text: string) => Buffer][] = [
    ['a gzip file', 'a.csv.gz', text => gzipSync(text)],
    [
      'a gzip file of several members',
      'b.csv.gz',
      text => Buffer.concat([text.slice(0, 9000), text.slice(9000)].map(part => gzipSync(part))),
    ],
    ['a Brotli file', 'c.csv.br', text => brotliCompressSync(text)],
    ['a UTF-16 file', 'd.csv', text => Buffer.from(`\ufeff${text}`, 'utf16le')],
    [
      'a packed big-endian UTF-16 file',
      'e.csv.gz',
      text => gzipSync(Buffer.from(`\ufeff${text}`, 'utf16le').swap16()),
    ],
  ]
  for (const [title, name, encode] of encoded) {
    it(`--resume continues in the middle of ${title}`, async () => {
      const path = await file(name, encode(csv(5000)))
      const words = [path, '-t', 'events', '--resume', 'packed', '--batch-size', '1000']
      const first = await load(...words)
      expect(first.stderr).to.match(/row 2,222 \(line 2223\): .*; 2,000 rows committed\n$/)
      await database.pool.query('ALTER TABLE events DROP CONSTRAINT bad')
      const second = await load(...words)
      expect(second.status, second.stderr).to.equal(0)
      expect(
        await query(
          "SELECT count(*)::int, count(DISTINCT id)::int, count(*) FILTER (WHERE note = 'röw ' || id)::int FROM events",
        ),
      ).to.deep.equal([[5000, 5000, 5000]])
    })
  }

  it('--create --infer all --resume, killed and run again, then once more', async function () {
    this.timeout(120_000)
    const path = await file('infer.csv', `${csv(60_000)}007,x\n`)
    const words = [
      'load',
      path,
      '-t',
      'made',
      '--create',
      '--infer',
      'all',
      '--resume',
      'infer',
      '--batch-size',
      '1000',
    ]
    const running = start([...words, '--batch-size', '200'], env())
    while ((await rowsMade()) === 0 && running.process.exitCode === null) await delay(5)
    running.process.kill('SIGKILL')
    await running.ended
    const { status, stderr } = await run(words, env())
    expect(status, stderr).to.equal(0)
    expect(stderr).to.not.contain('CREATE TABLE')
    expect(await counts('made')).to.deep.equal([60_001, 60_001])
    expect(await query("SELECT note FROM made WHERE id = '007'")).to.deep.equal([['x']])
    const third = await run(words, env())
    expect(third).to.include({ status: 0, stderr: '' })
    expect(third.stdout).to.match(/--resume infer is complete: all 60,001 rows/)
    expect(await counts('made')).to.deep.equal([60_001, 60_001])
  })

  it('Ctrl-C while the table is created: nothing is loaded, and the table is removed again', async () => {
    const other = await database.pool.connect()
    try {
      await other.query('BEGIN; CREATE TABLE made (x int)') // not seen by others, but waited for
      const path = await file('ctrl-c.csv', csv(5000))
      const running = start(['load', path, '-t', 'made', '--create'], env())
      const waiting =
        "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'pg-batch' AND wait_event_type = 'Lock'"
      await until('it waits', async () => (await query(waiting))[0]![0] === 1)
      const isStopping = new Promise<void>(resolve => {
        running.process.stderr!.on('data', text => String(text).includes('Stopping:') && resolve())
      })
      running.process.kill('SIGINT')
      await isStopping // before the table is created, and rows can come
      await other.query('ROLLBACK')
      const { status, stderr } = await running.ended
      expect(stderr).to.match(
        /made: removed again, since nothing was committed\npg-batch: made: interrupted; 0 rows committed\n$/,
      )
      expect(status).to.equal(130)
      expect(await madeExists()).to.equal(false)
    } finally {
      other.release()
    }
  })

  it('Ctrl-C while a new table is loaded: the rows that were read are committed, and the table stays', async () => {
    const running = start(['load', '-', '-t', 'made', '--create'], env())
    running.process.stdin!.write(csv(3000))
    while ((await rowsMade()) <= 1000 && running.process.exitCode === null) await delay(5)
    running.process.kill('SIGINT')
    const { status, stderr } = await running.ended
    expect(stderr)
      .to.match(
        /pg-batch: made: interrupted; [\d,]+ rows committed; the table stays: to start again, leave out --create and add --truncate\n$/,
      )
      .and.not.match(/removed again/)
    expect(status).to.equal(130)
    const said = Number(/([\d,]+) rows committed/.exec(stderr)![1]!.replaceAll(',', ''))
    expect(await counts('made')).to.deep.equal([said, said])
  })

  describe('a file without rows', () => {
    const empty: [title: string, name: string, content: string | Buffer][] = [
      ['CSV with a header', 'a.csv', 'id,note\n'],
      ['CSV with a header that is not ended', 'b.csv', 'id,note'],
      ['packed CSV', 'c.csv.gz', gzipSync('id,note\n')],
      ['an empty JSON array', 'e.json', ' [ ] '],
    ]
    for (const [title, name, content] of empty) {
      it(`(${title}) is loaded: no row, no error, once and with --resume, over several`, async () => {
        const path = await file(name, content)
        const plain = await load(path, '-t', 'events', '--truncate', '--rejects', `${path}.rejects`)
        expect(plain).to.include({ status: 0, stderr: 'events: emptied\n' })
        expect(plain.stdout).to.match(/^events: 0 rows committed/)
        for (const line of [
          /^events: 0 rows committed/,
          /^events: --resume none is complete: all 0 rows of the file/,
        ]) {
          const resumed = await load(path, '-t', 'events', '--resume', 'none')
          expect(resumed).to.include({ status: 0, stderr: '' })
          expect(resumed.stdout).to.match(line)
        }
        const dry = await load(path, '-t', 'events', '--dry-run')
        expect(dry.stdout).to.contain('There are no rows.')
      })
    }

    it('creates a table of texts from its header with --create, and no table without a header', async () => {
      const path = await file('none.csv', 'id,note\n')
      expect((await load(path, '-t', 'made', '--create')).stderr).to.equal(
        'CREATE TABLE "made" (\n  "id"   text,\n  "note" text\n);\n',
      )
      const list = await file('none.json', '[]')
      const { status, stderr } = await load(list, '-t', 'others', '--create')
      expect({ status, stderr }).to.deep.equal({
        status: 1,
        stderr: 'pg-batch: there are no rows to infer a table from\n',
      })
    })
  })

  describe('a file that lists a column twice', () => {
    const twice: [title: string, name: string, content: string, line: RegExp][] = [
      ['by one name', 'a.csv', 'id,note,id\n1,a,2\n', /a\.csv: the header names "id" twice\n$/],
      [
        'by names that match one column',
        'b.csv',
        'Id,note,ID\n1,a,2\n',
        /column "id" could be "Id" or "ID"; say which, with --map/,
      ],
    ]
    for (const [title, name, content, line] of twice) {
      it(`${title} is refused, also with --create`, async () => {
        const path = await file(name, content)
        const { status, stderr } = await load(path, '-t', 'events')
        expect(stderr).to.match(line)
        expect(status).to.equal(1)
        expect(await counts('events')).to.deep.equal([0, 0])
      })
    }

    it('is refused if --map causes it, before a table is created', async () => {
      const path = await file('c.csv', 'id,key\n1,2\n')
      const { status, stderr } = await load(path, '-t', 'made', '--create', '--map', 'key=id')
      expect(stderr).to.match(/two columns would be called "id"/)
      expect(status).to.equal(1)
      expect(await madeExists()).to.equal(false)
    })
  })
})
