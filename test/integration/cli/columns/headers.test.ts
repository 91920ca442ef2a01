import { expect } from 'chai'
import { useTextLoads } from './text-loads.ts'

describe('pg-batch load, of headers as people have them', () => {
  const { database, load, stored } = useTextLoads()

  it('names columns that have no name, or that of another one, and says so', async () => {
    const { path, stderr } = await load(`a,,a,${'x'.repeat(64)}\n1,2,3,4\n`, '--create')
    const long = 'x'.repeat(63)
    for (const change of [
      'column 2 has no name and is called "column_2"',
      'column 3 is another "a" and is called "a_2"',
      `the name of column 4 is too long and becomes "${long}"`,
    ]) {
      expect(stderr).to.contain(`${path}: ${change}\n`)
    }
    expect(await stored()).to.deep.equal([
      ['a', 'column_2', 'a_2', long],
      [1, 2, 3, 4],
    ])
  })

  it('shows that in a dry run', async () => {
    const { stdout, stderr } = await load('a,,a\n1,2,3\n', '--create', '--dry-run')
    expect(stderr).to.contain('column 2 has no name and is called "column_2"')
    expect(stdout).to.contain('"a_2"')
  })

  it('skips a title above the header, and numbers lines by the file', async () => {
    const others = Array.from({ length: 10 }, (_, i) => `${i + 3},d,4\n`).join('')
    const text = `Report\n\nid,name,x\n1,a,2\n2,b"c,3\n${others}`
    const { path, stderr, status } = await load(text, '--create', '--reject-limit', '1')
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain(`${path}: 2 lines above the header skipped (see --strict-header)`)
    expect((await stored()).slice(0, 3)).to.deep.equal([
      ['id', 'name', 'x'],
      [1, 'a', 2],
      [3, 'd', 4],
    ])
    await database.pool.query('DROP TABLE t')
    const failed = await load(text, '--create')
    expect(failed.stderr).to.contain('line 5 has a quote inside an unquoted field')
  })

  it('skips titles of several fields, and names the rows of R', async () => {
    const titled = await load('Report,,,\n,,,\nid,name,x,y\n1,a,2,3\n2,b,3,4\n', '--create')
    expect(titled.stderr).to.contain(`${titled.path}: 2 lines above the header skipped (see --strict-header)`)
    expect((await stored())[0]).to.deep.equal(['id', 'name', 'x', 'y'])
    await database.pool.query('DROP TABLE t')
    const named = await load('"a";"b"\n"r1";1;2\n"r2";3;4\n', '--create')
    expect(named.stderr).to.contain('column 1 has no name and is called "column_1"')
    expect(await stored()).to.deep.equal([
      ['column_1', 'a', 'b'],
      ['r1', 1, 2],
      ['r2', 3, 4],
    ])
  })

  it('takes the first line as it is with --header', async () => {
    const { status, stderr } = await load('Report,,,\n1,2,3,4\na,b,c,d\n5,6,7,8\n', '--create', '--header')
    expect(status, stderr).to.equal(0)
    expect((await stored())[0]).to.deep.equal(['Report', 'column_2', 'column_3', 'column_4'])
  })

  for (const [what, text] of [
    ['an empty name', 'a,\n1,2\n'],
    ['a repeated name', 'a,a\n1,2\n'],
    ['a title', 'Report\nid,name\n1,a\n2,b\n3,c\n'],
    ['a line for Excel', 'sep=;\na;b\n1;2\n'],
  ]) {
    it(`refuses ${what} with --strict-header`, async () => {
      const { status } = await load(text!, '--create', '--strict-header')
      expect(status).to.equal(1)
    })
  }

  it('does not take the header of a single column for a title', async () => {
    const { status, stderr } = await load('name\nhello, world\nsome text, commas\nfoo, bar\n', '--create')
    expect(stderr).to.contain('if it is the header of a single column, say --delimiter tab')
    expect(status).to.equal(1)
  })

  it('reads the delimiter that a line for Excel names', async () => {
    await database.pool.query('CREATE TABLE t (id int, name text)')
    const content = 'sep=;\nid;name\n1;"a;b"\n'
    const other = await load(content, '--delimiter', ',')
    expect(other.stderr).to.contain("skip it: --skip-lines 1 --delimiter ';'")
    expect((await load(content, '--delimiter', ';')).status).to.equal(0)
    await database.pool.query('TRUNCATE t')
    const { path, stderr, status } = await load(content)
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain(`${path}: its first line names the delimiter (sep=;) and is skipped`)
    expect(await stored()).to.deep.equal([
      ['id', 'name'],
      [1, 'a;b'],
    ])
  })

  it('skips lines, and joins those of a header', async () => {
    const words = ['--create', '--skip-lines', '2', '--header-lines', '2']
    const { stderr, status } = await load('a "title\r\n,,,\r\nprice,qty,\r\nEUR,,note\r\n1,2,x\r\n', ...words)
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal([
      ['price EUR', 'qty', 'note'],
      [1, 2, 'x'],
    ])
  })

  it('loads by position, and skips fields with -', async () => {
    await database.pool.query('CREATE TABLE t (id int, name text)')
    const words = ['--skip-lines', '1', '--no-header', '--columns', 'name,-,id,-']
    const { stderr, status } = await load('w,x,y,z\na,-,1,\nb,-,2,\n', ...words)
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal([
      ['id', 'name'],
      [1, 'a'],
      [2, 'b'],
    ])
    const named = await load('id,name\n1,a\n', '--columns', 'id,-')
    expect(named.stderr).to.contain('a - in --columns skips a field of a file without a header')
  })

  it('makes a table of the fields that are not skipped', async () => {
    const { stderr, status } = await load(
      '1|a|x|\n2|b|y|\n',
      '--create',
      '--no-header',
      '--columns',
      'id,-,name,-',
    )
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal([
      ['id', 'name'],
      [1, 'x'],
      [2, 'y'],
    ])
  })

  it('does not infer types from a record that is rejected', async () => {
    for (const words of [[], ['--lenient'], ['--infer', 'all']]) {
      await database.pool.query('DROP TABLE IF EXISTS t')
      const text = 'id,name,x\n1,a,2\n2,b,3\nTotal: 2 rows\n'
      const { status, stderr } = await load(text, '--create', '--reject-limit', '1', ...words)
      expect(status, stderr).to.equal(0)
      expect(await stored()).to.deep.equal([
        ['id', 'name', 'x'],
        [1, 'a', 2],
        [2, 'b', 3],
      ])
    }
  })

  it('has no rows to load from an empty file', async () => {
    await database.pool.query('CREATE TABLE t (id int)')
    for (const content of ['', '\n\n', '\ufeff']) {
      const { path, status, stdout, stderr } = await load(content)
      expect(stderr).to.equal(`${path}: there is nothing in it\n`)
      expect(stdout).to.equal('t: 0 rows committed\n')
      expect(status).to.equal(0)
    }
    expect((await load('', '--truncate')).status).to.equal(1)
    expect((await load('', '--create')).stderr).to.contain('exists already')
    await database.pool.query('DROP TABLE t')
    expect((await load('')).stderr).to.contain('the table "t" does not exist')
    expect((await load('', '--create', '--dry-run')).stdout).to.equal('Dry run: nothing is written.\n')
    expect((await load('', '--create')).stderr).to.contain('and t is made without columns')
    expect(await stored()).to.deep.equal([[]])
  })

  it('takes names with commas in quotes', async () => {
    const { stderr, status } = await load('"id, no",b\n1,2\n', '--create', '--key', '"id, no"')
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain('PRIMARY KEY ("id, no")')
  })

  it('names a key with commas so that the shell and --on-conflict read it', async () => {
    const { stderr } = await load('"id, no",b\n1,2\n1,3\n', '--create', '--key', '"id, no"')
    expect(stderr).to.contain(`; --on-conflict '"id, no"' updates the row that is there`)
  })

  it('refuses --columns that skips every field', async () => {
    await database.pool.query('CREATE TABLE t (id int)')
    const { stderr, status } = await load('1,2\n', '--no-header', '-c', '-,-')
    expect([status, stderr.split('\n').at(-2)]).to.deep.equal([1, 'pg-batch: --columns skips every field'])
  })
})
