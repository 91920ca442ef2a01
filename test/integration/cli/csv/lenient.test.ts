import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('pg-batch load --lenient', () => {
  const database = useDatabase()
  const file = useFolder()
  const pgBatch = (...words: string[]) => run(words, { DATABASE_URL: database.connectionString })
  const TEXT = 'id,name,age\n1,x"y,3\n2\n3,a,4,,\n4,"b"c\n5,d,6\n6,e"\n'
  const rows = async () => (await database.pool.query('SELECT * FROM t ORDER BY id')).rows.map(Object.values)

  beforeEach(() => database.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, name text, age int)'))

  it('stores what is beyond doubt, says what it has repaired, and rejects the rest', async () => {
    const path = await file('lenient.csv', TEXT)
    const rejects = `${path}.rejects.ndjson`
    const ended = await pgBatch('load', path, '-t', 't', '--lenient', '--rejects', rejects)
    expect(ended.status, ended.stderr).to.equal(0)
    for (const what of [
      `1 record repaired: stray quotes, read as text; for example line 2 of ${path}`,
      `1 record repaired: missing last fields, read as NULL; for example line 3 of ${path}`,
      `1 record repaired: empty extra fields, dropped; for example line 4 of ${path}`,
    ]) {
      expect(ended.stderr).to.contain(what)
    }
    expect(await rows()).to.deep.equal([
      [1, 'x"y', 3],
      [2, null, null],
      [3, 'a', 4],
      [5, 'd', 6],
    ])
    const lines = (await readFile(rejects, 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.map(({ source_offset }) => Number(source_offset)).sort()).to.deep.equal([4, 6])
  })

  it('counts them in the summary and in the JSON log', async () => {
    const path = await file('counted.csv', TEXT)
    const words = ['load', path, '-t', 't', '--lenient', '--reject-limit', '2']
    expect((await pgBatch(...words, '--summary')).stderr).to.match(
      /repaired +│ +3 │.*\n.*1 │ stray quotes, read as text, line 2/,
    )
    const logged = (await pgBatch(...words, '--log', 'json')).stderr.trimEnd().split('\n')
    expect(JSON.parse(logged.at(-1)!).repairs).to.deep.equal([
      { kind: 'quote', count: 1, exampleLine: 2, exampleFile: path },
      { kind: 'missing', count: 1, exampleLine: 3, exampleFile: path },
      { kind: 'extra', count: 1, exampleLine: 4, exampleFile: path },
    ])
  })

  it('fails at a record that is in doubt without --rejects', async () => {
    const path = await file('doubt.csv', TEXT)
    const ended = await pgBatch('load', path, '-t', 't', '--lenient')
    expect(ended.stderr).to.contain(`${path}: line 5 has text after a closing quote`)
    expect(ended.status).to.equal(1)
  })

  it('counts each record once in several files, and in a table that is made', async () => {
    const [a, b] = [
      await file('one.csv', 'id,name\n1,x"\n2,b\n'),
      await file('two.csv', 'id,name\n3\n4,"d"\n'),
    ]
    await database.pool.query('DROP TABLE t')
    const ended = await pgBatch('load', a, b, '-t', 't', '--create', '--infer', 'all', '--lenient')
    expect(ended.status, ended.stderr).to.equal(0)
    expect(ended.stderr.match(/\d+ records? repaired[^;]*/g)).to.deep.equal([
      '1 record repaired: stray quotes, read as text',
      '1 record repaired: missing last fields, read as NULL',
    ])
    expect(await rows()).to.deep.equal([
      [1, 'x"'],
      [2, 'b'],
      [3, null],
      [4, 'd'],
    ])
  })
})
