import { link, readFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { type Ended, run } from '../support.ts'

describe('pg-batch load, of files as they come:', () => {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(
      'DROP TABLE IF EXISTS sales; CREATE TABLE sales (id int PRIMARY KEY, sold_at date, note text)',
    ),
  )

  const load = (words: readonly string[], input?: string | Buffer): Promise<Ended> =>
    run(['load', ...words, '-t', 'sales'], { DATABASE_URL: database.connectionString }, input)

  async function stored(): Promise<unknown[][]> {
    const text = 'SELECT id, sold_at::text, note FROM sales ORDER BY id'
    return (await database.pool.query({ text, rowMode: 'array' })).rows as unknown[][]
  }

  it('a spreadsheet from another country, with other names of columns', async () => {
    const sheet = Buffer.from(
      '\ufeffID;Sold At;Bemerkung\r\n1;2026-01-05;"a; ""b"""\r\n2;NA;süß\r\n',
      'utf16le',
    )
    const { status, stderr } = await load(['-', '--map', 'Bemerkung=note', '--null', 'NA'], sheet)
    expect(stderr).to.equal(
      'standard input: read as UTF-16LE, as its byte order mark says\n' +
        'standard input: semicolons between fields, a header (see --delimiter)\n' +
        'standard input: took "ID" for column "id", "Sold At" for column "sold_at"\n',
    )
    expect(status).to.equal(0)
    expect(await stored()).to.deep.equal([
      [1, '2026-01-05', 'a; "b"'],
      [2, null, 'süß'],
    ])
  })

  it('records without a header, in the order of --columns', async () => {
    const { status, stderr } = await load(
      ['-', '--no-header', '-c', 'note,id', '--delimiter', 'tab', '--quote', 'none'],
      '5" nail\t1\n\t2\n',
    )
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(await stored()).to.deep.equal([
      [1, null, '5" nail'],
      [2, null, null],
    ])
  })

  it('several files and patterns as one load', async () => {
    const a = await file('part-2.csv', 'id,note\n2,b\n')
    await file('part-1.csv', 'note,id\na,1\n')
    const c = await file('last.csv', 'id,note\n3,c\n')
    const { status, stdout, stderr } = await load([c, `${dirname(a)}/part-*.csv`])
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(stdout).to.match(/^sales: 3 rows committed in 1 batch/)
    expect(await stored()).to.deep.equal([
      [1, null, 'a'],
      [2, null, 'b'],
      [3, null, 'c'],
    ])
  })

  it('and names the file and the row of a mistake', async () => {
    const a = await file('x.csv', 'id,note\n1,b\n2,c\n')
    const b = await file('y.csv', 'id,note\n3,c\nsecret,d\n')
    const { status, stderr } = await load([a, b])
    expect(status).to.equal(1)
    expect(stderr).to.contain(`${b}: row 2 (line 3): not a valid integer for "id"`).and.not.contain('secret')
  })

  it('but not a pattern that matches nothing, one file twice, or standard input among others', async () => {
    const a = await file('z.csv', 'id\n1\n')
    expect((await load([`${dirname(a)}/nope-*.csv`])).stderr).to.match(/nope-\*\.csv: no file matches/)
    expect((await load([a, `${dirname(a)}/z*.csv`])).stderr).to.match(/z\.csv is named twice/)
    expect(await load([a, '-'])).to.include({
      status: 2,
      stderr: 'pg-batch: standard input ("-") cannot be one of several files\n',
    })
    expect(await stored()).to.deep.equal([])
  })

  it('nor one file by two spellings, a symbolic or a hard link, also as the file of rejected rows', async () => {
    const a = await file('one.csv', 'id\n1\n')
    const folder = dirname(a)
    const spellings = [`${folder}/../${folder.split('/').at(-1)}/one.csv`, `${folder}/./one.csv`]
    for (const [name, make] of [
      ['soft.csv', symlink],
      ['hard.csv', link],
    ] as const) {
      await make(a, join(folder, name))
      spellings.push(join(folder, name))
    }
    for (const other of spellings) {
      const { status, stderr } = await load([a, other])
      expect(stderr).to.equal(
        `pg-batch: ${other} is named twice (${a} is the same file), and would be loaded twice\n`,
      )
      expect(status).to.equal(2)
      expect((await load([a, '--rejects', other])).stderr).to.match(/--rejects names the file that is read/)
    }
    expect((await load([`${folder}/{one,soft}.csv`])).stderr).to.match(
      /soft\.csv is named twice \(.*one\.csv is/,
    )
    expect(await readFile(a, 'utf8')).to.equal('id\n1\n')
    expect(await stored()).to.deep.equal([])
  })

  it('nor standard input by two names', async () => {
    for (const words of [
      ['-', '-'],
      ['/dev/stdin', '-'],
      ['/dev/stdin', '/dev/fd/0'],
      ['/dev/stdin', '/dev/stdin'],
    ]) {
      const { status, stderr } = await load(words, 'id\n1\n')
      expect(stderr).to.match(/is named twice|cannot be one of several files/)
      expect(status).to.equal(2)
    }
    expect(await stored()).to.deep.equal([])
  })
})
