import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('pg-batch load, of a folder,', () => {
  const database = useDatabase()
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-batch-folder-'))
    await database.pool.query(`
      DROP TABLE IF EXISTS t, pg_batch_resume, pg_batch_checkpoint;
      CREATE TABLE t (id int, seq int GENERATED ALWAYS AS IDENTITY)`)
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const load = (...words: string[]) =>
    run(['load', ...words, '-t', 't'], { DATABASE_URL: database.connectionString })
  const stored = async () =>
    (await database.pool.query('SELECT id FROM t ORDER BY seq')).rows.map(({ id }) => id)

  async function put(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), content)
    }
  }

  const PARTS = {
    'part-10.csv': 'id\n10\n',
    'part-2.csv.gz': gzipSync('id\n2\n'),
    'part-3.csv': '',
    'part-4.csv.gz': gzipSync(''),
    'part-5.csv': 'id\n',
    _SUCCESS: '',
    _metadata: 'not rows',
    '.part-2.csv.crc': 'crc',
  }

  for (const inner of ['', '/*']) {
    it(`reads its parts in natural order, and names those without rows (${inner || 'its name'})`, async () => {
      await put(PARTS)
      const { status, stderr } = await load(folder + inner, '--concurrency', '1')
      expect(status, stderr).to.equal(0)
      const hidden = inner ? '' : '.part-2.csv.crc, '
      expect(stderr).to.contain(
        `${folder}${inner}: skipped ${hidden}_SUCCESS, _metadata, part-3.csv (empty)\n`,
      )
      expect(stderr).to.contain(`skipped ${folder}/part-4.csv.gz: there is nothing in it\n`)
      expect(await stored()).to.deep.equal([2, 10])
    })
  }

  it('leaves out what Windows and macOS put beside the files', async () => {
    await put({ 'a.csv': 'id\n1\n', '.DS_Store': 'Bud1', 'Thumbs.db': 'xls', 'desktop.ini': '[.Shell]' })
    const { status, stderr } = await load(folder)
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain(`${folder}: skipped .DS_Store, Thumbs.db, desktop.ini\n`)
    expect(await stored()).to.deep.equal([1])
  })

  it('reads parts of every format', async () => {
    await put({ 'a.ndjson': '{"id":1}\n', 'b.jsonl': '{"id":2}\n', 'c.ndjson.gz': gzipSync('{"id":3}\n') })
    const { status, stderr } = await load(folder, '--concurrency', '1')
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal([1, 2, 3])
  })

  it('continues with --resume, and refuses a folder that has one part more', async () => {
    await put(PARTS)
    expect((await load(folder, '--resume', 'r')).status).to.equal(0)
    const again = await load(folder, '--resume', 'r')
    expect(again.status, again.stderr).to.equal(0)
    expect(again.stdout).to.contain('is complete')
    await put({ 'part-11.csv': 'id\n11\n' })
    const more = await load(folder, '--resume', 'r')
    expect(more.status).to.equal(1)
    expect(more.stderr).to.contain('use another name for another load')
    expect(await stored()).to.deep.equal([2, 10])
  })

  it('skips markers in inner folders, too, when a pattern names all', async () => {
    await put({
      'day=1/a.csv': 'id\n1\n',
      'day=2/b.csv': 'id\n2\n',
      '_temporary/c.csv': 'id\n3\n',
      'day=2/_x.csv': 'id\n4\n',
    })
    const { status, stderr } = await load(`${folder}/**/*`, '--concurrency', '1')
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain(`skipped c.csv, _x.csv\n`)
    expect(await stored()).to.deep.equal([1, 2])
  })

  it('reads the files of its inner folders, in natural order, without hidden folders and markers', async () => {
    await put({
      'part-10/a.csv': 'id\n10\n',
      'part-2/b/part-1.csv': 'id\n2\n',
      'part-2/c.csv.gz': gzipSync('id\n3\n'),
      'part-2/_SUCCESS': '',
      'part-2/empty.csv': '',
      'part-3.csv': 'id\n4\n',
      '_temporary/d=1/x.csv': 'id\n5\n',
      '.git/x.csv': 'id\n6\n',
    })
    await mkdir(join(folder, 'nothing'))
    await symlink(folder, join(folder, 'part-2', 'circle'))
    const { status, stderr } = await load(folder, '--concurrency', '1')
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain(
      `${folder}: skipped .git, _temporary, part-2/_SUCCESS, part-2/circle (not a file), part-2/empty.csv (empty)\n`,
    )
    expect(await stored()).to.deep.equal([2, 3, 4, 10])
  })

  it('loads a marker that is named', async () => {
    await put({ '_a.csv': 'id\n1\n', '_b.csv': 'id\n2\n' })
    expect((await load(`${folder}/_*.csv`)).status).to.equal(0)
    expect((await load(`${folder}/_a.csv`)).status).to.equal(0)
    expect((await stored()).sort()).to.deep.equal([1, 1, 2])
  })

  const mistakes: [title: string, files: Record<string, string>, line: RegExp][] = [
    [
      'of a partitioned table',
      { 'x/day=2/a.csv': 'id\n1\n' },
      /\/x: its folder day=2 says that day has one value .* say '\S+\/x\/\*\*\/\*'\n$/,
    ],
    [
      'with markers alone',
      { _SUCCESS: '', 'a.csv': '' },
      /: skipped _SUCCESS, a\.csv \(empty\); there is no other file\n$/,
    ],
    ['that is empty', {}, /: it is empty\n$/],
    [
      'of several formats',
      { 'a.csv': 'id\n1\n', 'b.ndjson': '{"id":2}\n' },
      /is ndjson and .* is csv; load them one by one/,
    ],
    [
      'with a text beside the rows',
      { 'a.csv': 'id\n1\n', 'README.md': '# Orders\n\nOf May.\n' },
      /: its header is not that of \S+: .*; load those of one kind by a pattern\n/,
    ],
    ['of other columns', { 'a.csv': 'id\n1\n', 'b.csv': 'no\n2\n' }, /b\.csv: its header is not that of/],
  ]
  for (const [title, files, line] of mistakes) {
    it(`refuses one ${title}, before the first row`, async () => {
      await put(files)
      const { status, stderr } = await load(folder)
      expect(status).to.be.oneOf([1, 2])
      expect(stderr).to.match(line)
      expect(await stored()).to.deep.equal([])
    })
  }
})
