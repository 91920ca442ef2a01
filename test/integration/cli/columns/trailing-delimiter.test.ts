import { expect } from 'chai'
import { useTextLoads } from './text-loads.ts'

describe('pg-batch load, of records that end with a delimiter', () => {
  const { database, load, stored } = useTextLoads()
  const LEFT_OUT = 'each record ends with a delimiter; the empty field after it is left out'
  const make = () => database.pool.query('CREATE TABLE t (id int, name text, x int)')
  const ROWS = [
    ['id', 'name', 'x'],
    [1, 'a', 2],
    [2, '', null],
  ]

  for (const [what, text, words] of [
    ['as the files of TPC-H', '1|a|2|\n2|""||\n', ['--delimiter', '|', '--no-header']],
    ['with names in order', '2|a|1|\n|""|2|\n', ['--no-header', '-c', 'x,name,id']],
    ['with a header', 'id|name|x|\n1|a|2|\n2|""||\n', []],
    ['with a header that does not', 'id|name|x\n1|a|2|\n2|""||\n', []],
    ['of two characters', '1||a||2||\n2||""||||\n', ['--delimiter', '||', '--no-header']],
  ] as [string, string, string[]][]) {
    it(`loads a file ${what} into the columns of a table`, async () => {
      await make()
      const { stderr, status } = await load(text, ...words)
      expect(status, stderr).to.equal(0)
      expect(stderr).to.contain(LEFT_OUT)
      expect(await stored()).to.deep.equal(ROWS)
    })
  }

  for (const [what, text, words] of [
    ['a header', 'id;name;x;\n1;a;2;\n2;"";;\n', []],
    ['a header without one', 'id;name;x\n1;a;2;\n2;"";;\n', []],
    ['names', '1;a;2;\n2;"";;\n', ['--no-header', '-c', 'id,name,x']],
  ] as [string, string, string[]][]) {
    it(`makes a table without the last field, with ${what}`, async () => {
      const { stderr, status } = await load(text, '--create', ...words)
      expect(status, stderr).to.equal(0)
      expect(stderr).to.contain(LEFT_OUT).and.not.contain('column_4')
      expect(await stored()).to.deep.equal(ROWS)
    })
  }

  it('points out that names may be shifted, if the header may lack a delimiter', async () => {
    const note =
      'the header has 3 names, and the records have 4 fields, the last one empty: if a delimiter is missing ' +
      'in the header, the names after it are one column off'
    const text = 'id,nameprice,comment\n1,a,2,\n2,b,3,\n'
    const { stderr, path } = await load(text, '--create')
    expect(stderr).to.contain(`${path}: ${note}\n`).and.contain(LEFT_OUT)
    expect((await load(text, '--create', '--dry-run')).stderr).to.contain(note)
    await database.pool.query('DROP TABLE t')
    expect((await load('id,name,price,\n1,a,2,\n', '--create')).stderr).not.to.contain(
      'a delimiter is missing',
    )
    await database.pool.query('DROP TABLE t')
    // values in the last column: no delimiter ends the records
    const ended = await load('id,nameprice,comment\n1,a,2,\n2,b,3,x\n', '--create')
    expect(ended.stderr).to.contain('line 2 has 4 fields, the file has 3 columns')
    expect(ended.status).to.equal(1)
  })

  it('makes a table of a file without a header', async () => {
    const { stderr } = await load('1|a|\n2|b|\n', '--create')
    expect(stderr).to.contain(LEFT_OUT)
    expect((await stored())[0]).to.deep.equal(['column_1', 'column_2'])
    await database.pool.query('DROP TABLE t')
    await load('1,a,\n2,b,\n', '--create') // the last column may just be empty
    expect((await stored())[0]).to.deep.equal(['column_1', 'column_2', 'column_3'])
  })

  it('rejects a value after the last column, and fails at it without --rejects', async () => {
    const text = `id,name,\n${Array.from({ length: 1200 }, (_, i) => `${i},a,\n`).join('')}7,b,c\n8,d\n9,e,\n`
    const failed = await load(text, '--create')
    expect(failed.stderr).to.contain('line 1202 has a value after the last column')
    expect(failed.stderr).not.to.contain('7,b')
    const { status, stderr } = await load(text, '--create', '--reject-limit', '2')
    expect(status, stderr).to.equal(0)
    expect((await database.pool.query('SELECT count(*)::int AS n FROM t')).rows).to.deep.equal([{ n: 1201 }])
  })

  it('keeps a last column that has no name, but values', async () => {
    const { path, stderr } = await load('id,\n1,\n2,b\n', '--create')
    expect(stderr).to.contain(`${path}: column 2 has no name and is called "column_2"\n`)
    expect((await stored())[0]).to.deep.equal(['id', 'column_2'])
    await database.pool.query('DROP TABLE t; CREATE TABLE t (id int, name text)')
    expect((await load('id,\n1,\n2,b\n')).stderr).to.contain('column 2 of 2 has no name in the header')
    expect((await load('1,\n2,\n', '--no-header')).status).to.equal(0)
    expect(await stored()).to.deep.equal([
      ['id', 'name'],
      [1, null],
      [2, null],
    ])
  })

  it('refuses it with --strict-header, and shows it in a dry run', async () => {
    const text = 'id,name,\n1,a,\n2,b,\n'
    expect((await load(text, '--create', '--strict-header')).status).to.equal(1)
    const { stdout, stderr } = await load(text, '--create', '--dry-run')
    expect(stderr).to.contain(LEFT_OUT)
    expect(stdout).to.match(/1 .* a /)
    expect(stdout).not.to.contain('column_3')
  })
})
