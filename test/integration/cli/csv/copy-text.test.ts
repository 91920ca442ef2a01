import { Readable } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('pg-batch load --format text', () => {
  const database = useDatabase()
  const file = useFolder()
  const load = (words: readonly string[], input?: string) =>
    run(['load', ...words, '-t', 't'], { DATABASE_URL: database.connectionString }, input)

  beforeEach(() =>
    database.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, x text, b bytea, a text[])'),
  )

  async function stored(): Promise<unknown[]> {
    return (await database.pool.query('SELECT id, x, b::text, a::text FROM t ORDER BY id')).rows
  }

  async function withClient<T>(work: (client: import('pg').PoolClient) => Promise<T>): Promise<T> {
    const client = await database.pool.connect()
    try {
      return await work(client)
    } finally {
      client.release()
    }
  }

  it('loads what COPY TO has written', async () => {
    await database.pool.query(
      `INSERT INTO t SELECT n, x, convert_to(x, 'UTF8'), ARRAY[x, NULL, 'a"b'] FROM unnest($1::text[]) WITH ORDINALITY AS u (x, n)`,
      [
        [
          '',
          ' ',
          '\\N',
          '\\.',
          'a\tb',
          'a\nb\r\nc',
          '\b\f\v\\',
          'é€𝄞',
          '"x"',
          null,
          'N',
          '\\\\N',
          '\\x41',
          '\\101',
        ],
      ],
    )
    const before = await stored()
    const content = await withClient(client => readText(client.query(copyTo('COPY t TO STDOUT'))))
    await database.pool.query('TRUNCATE t')
    const { status, stderr } = await load(['-', '--format', 'text'], content)
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal(before)
  })

  const odd = [
    '1\ta\\\tb\t\\\\x41\t{}\n2\tline\\\nend\t\\N\t\\N\n',
    '1\t\\101\\x42\\303\\251\\q\t\t{"\\\\""}\n',
    '1\ta\t\\N\t\\N\r\n2\t\\r\t\\N\t\\N\r\n',
    '1\t\\\\N\t\\N\t\\N\n2\t\\N\t\\N\t\\N\n\\.\n',
    '1\tab\\X41\\x4g\\8\t\\N\t\\N',
    '1\ta\t\\N\t\\N\r2\tb\\\nc\t\\N\t\\N\r',
    '1\ta\t\\N\t\\N\r\n2\tb\t\\N\t\\N',
    '1\ta\\\r\\\\\t\\N\t\\N\n2\tb\t\\N\t\\N\n',
  ]
  for (const content of odd) {
    it(`reads as COPY does: ${JSON.stringify(content)}`, async () => {
      await withClient(client =>
        pipeline(Readable.from([content]), client.query(copyFrom('COPY t FROM STDIN'))),
      )
      const expected = await stored()
      await database.pool.query('TRUNCATE t')
      const { status, stderr } = await load(['-', '--format', 'text'], content)
      expect(status, stderr).to.equal(0)
      expect(await stored()).to.deep.equal(expected)
      expect(expected).not.to.deep.equal([])
    })
  }

  it('refuses what COPY refuses: other line ends, and the end of the data inside a line', async () => {
    const row = '1\ta\t\\N\t\\N'
    const { rows } = await database.pool.query("SELECT current_setting('server_version_num')::int AS version")
    // before PostgreSQL 18, COPY stores the line and leaves out what follows it
    const endsData = `${row}\\.\n`
    for (const content of [
      `${row}\r\n${row}\n`,
      `${row}\n${row}\r\n`,
      `${row}\r${row}\n`,
      `${row}\r\n${row}\r`,
      '1\ta\\\\\rb\t\\N\t\\N\n',
      '1\ta\\.\t\\N\t\\N\n',
      endsData,
    ]) {
      const theirs = await withClient(client =>
        pipeline(Readable.from([content]), client.query(copyFrom('COPY t FROM STDIN'))).catch(
          (error: Error) => error,
        ),
      )
      const isTaken = content === endsData && rows[0].version < 180000
      expect(theirs instanceof Error, JSON.stringify(content)).to.equal(!isTaken)
      if (isTaken) await database.pool.query('TRUNCATE t')
      const { status, stderr } = await load(['-', '--format', 'text'], content)
      expect(stderr).to.match(/line [12] has (a carriage return|a line feed|"\\\.")/)
      expect(status, JSON.stringify(content)).to.equal(1)
    }
    expect(await stored()).to.deep.equal([])
  })

  it('accepts another delimiter, NULL text, a header, and columns by name', async () => {
    const words = ['-', '--format', 'text', '--delimiter', '|', '--null', '-', '--header', '-c', 'x,id']
    const { status, stderr } = await load(words, 'id|x|other\n1|-|z\n2|\\-|z\n')
    expect(status, stderr).to.equal(0)
    expect(await stored())
      .to.deep.include({ id: 1, x: null, b: null, a: null })
      .and.include.deep.members([{ id: 2, x: '-', b: null, a: null }])
  })

  it('names the line of a mistake, and does not ignore rows after the end of the data', async () => {
    for (const [content, line] of [
      ['1\ta\t\\N\t\\N\n2\tsecret\n', 'line 2 has 2 fields, the file has 4 columns'],
      ['1\ta\t\\N\t\\N\n\\.\n2\ta\t\\N\t\\N\n', 'line 3 follows "\\.", which ends the data'],
      ['1\t\\377\t\\N\t\\N\n', 'line 1 has escaped bytes that are not UTF-8'],
      ['1\ta\t\\N\t\\', 'line 1 ends with a backslash that escapes nothing (a truncated file?)'],
      ['1\ta\rb\t\\N\t\\N\n', 'line 1 has a carriage return that is neither \\r nor at the end of each line'],
    ]) {
      const { status, stderr } = await load(['-', '--format', 'text'], content)
      expect(stderr).to.contain(`standard input: ${line}`)
      expect(stderr).to.not.match(/secret|--lenient/)
      expect(status).to.equal(1)
    }
    expect((await load(['-', '--format', 'text', '--quote', "'"], '1')).stderr).to.equal(
      'pg-batch: --quote has no meaning for the text format of COPY\n',
    )
  })

  it('is suggested for a file in that format that is read as CSV', async () => {
    const content = 'id\tx\n1\t\\N\n2\ta\n'
    const path = await file('t.tsv', content)
    for (const ended of [await load(['-'], content), await load([path])]) {
      expect(ended.stderr).to.contain(
        "it has \\N between tabs, as the text format of COPY has; say --format text, or --null '\\N'",
      )
      expect(ended.status).to.equal(1)
    }
    const { status, stderr } = await load([path, '--null', '\\N'])
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.include({ id: 1, x: null, b: null, a: null })
  })
})
