import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { type Ended, run } from '../support.ts'

describe('pg-batch load, of CSV whose dialect no option names:', () => {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() => database.pool.query('DROP TABLE IF EXISTS made'))

  const load = (words: readonly string[], input?: string): Promise<Ended> =>
    run(['load', ...words, '-t', 'made', '--create'], { DATABASE_URL: database.connectionString }, input, {
      showsDialect: true,
    })

  async function stored(): Promise<{ columns: string[]; rows: unknown[][] }> {
    const { fields, rows } = await database.pool.query({
      text: 'SELECT * FROM made ORDER BY ctid',
      rowMode: 'array',
    })
    return { columns: fields.map(({ name }) => name), rows }
  }

  const exists = async () =>
    (await database.pool.query("SELECT to_regclass('made') IS NOT NULL AS exists")).rows[0].exists

  it('a comma in the header does not split fields between semicolons, and the choice is printed', async () => {
    const { status, stderr } = await load(['-'], 'Id;Preis (EUR, netto)\n1;9,50\n2;10,00\n')
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain('standard input: semicolons between fields, a header (see --delimiter)\n')
    expect(await stored()).to.deep.equal({
      columns: ['Id', 'Preis (EUR, netto)'],
      rows: [
        [1, '9,50'],
        [2, '10,00'],
      ],
    })
  })

  it('the choice is printed for a plain file, too, unless an option names it', async () => {
    const plain = await load(['-'], 'id,name\n1,ann\n')
    expect(plain.stderr).to.include('standard input: commas between fields, a header (see --delimiter)\n')
    await database.pool.query('DROP TABLE made')
    const named = await load(['-', '--delimiter', ','], 'id,name\n1,ann\n')
    expect(named.stderr).to.not.include('between fields')
  })

  const guesses: [title: string, text: string, said: string][] = [
    ['colons that could separate', 'a:b\n1:2\n3:4\n', 'one column, a header'],
    ['blanks that could separate', 'a b\n1 2\n3 4\n', 'one column, a header'],
    ['carets that could separate', 'a^b\n1^2\n3^4\n', 'one column, a header'],
    ['unit separators that could separate', 'a\x1fb\n1\x1f2\n', 'one column, a header'],
    ['a first line that may be data', 'x,a\ny,b\nz,c\n', 'commas between fields, a header'],
    ['a title as wide as its records', 'Report, 2024\nid,amount\n1,5\n', 'commas between fields, a header'],
    ['years in the first line', '2019,2020\n1,2\n3,4\n', 'commas between fields, a header'],
    ['a single line', 'id,name\n', 'commas between fields, a header'],
  ]
  for (const [title, text, said] of guesses) {
    it(`the choice is printed with ${title}`, async () => {
      const { status, stderr } = await load(['-'], text)
      expect(status, stderr).to.equal(0)
      expect(stderr).to.contain(`standard input: ${said} (see --delimiter)\n`)
    })
  }

  it('a title above the header ends the load with --strict-header, with the line on which the records begin', async () => {
    const path = await file('title.csv', 'Sales report\n\nid;name;qty\n1;a;2\n2;b;3\n')
    const { status, stderr } = await load([path, '--strict-header'])
    expect(stderr).to.equal(
      `pg-batch: ${path}: line 1 has 1 field, the records from line 3 on have 3 fields, with semicolons between; ` +
        'if it is a title, skip it: --skip-lines 2; ' +
        "if not, name the delimiter: --delimiter ';'\n",
    )
    expect(status).to.equal(1)
    expect(await exists()).to.equal(false)
    expect((await load(['-'], 'id;name;qty\n1;a;2\n2;b;3\n')).status).to.equal(0)
    expect((await stored()).rows).to.have.length(2)
  })

  it('two delimiters that fit equally end the load, which names both and the option that decides', async () => {
    const text = 'name,a|b\nann,x|y\nbob,z|w\n'
    const { status, stderr } = await load(['-'], text)
    expect(stderr).to.equal(
      'pg-batch: standard input: commas and pipes between fields fit equally well; ' +
        "say which, with --delimiter ',' or --delimiter '|'\n",
    )
    expect(status).to.equal(2)
    expect(await exists()).to.equal(false)
    expect((await load(['-', '--delimiter', '|'], text)).status).to.equal(0)
    expect((await stored()).columns).to.deep.equal(['name,a', 'b'])
  })

  it('a file that shows too little is read like the first one', async () => {
    const first = await file('2026-01.csv', 'a;b,c\n1;2,5\n3;4,5\n')
    const empty = await file('2026-02.csv', 'a;b,c\n')
    const { status, stderr } = await load([first, empty])
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain(`${first} and 1 more: semicolons between fields, a header (see --delimiter)\n`)
    expect((await stored()).columns).to.deep.equal(['a', 'b,c'])
  })

  it('apostrophes around fields with delimiters are not part of the values', async () => {
    const { status, stderr } = await load(['-'], "id,note\n1,'a, b'\n2,'c''d'\n3,'e\nf'\n")
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain('commas between fields, apostrophes around them (see --quote), a header')
    expect((await stored()).rows).to.deep.equal([
      [1, 'a, b'],
      [2, "c'd"],
      [3, 'e\nf'],
    ])
  })

  it('a first line that looks like the others is a row, not the header of a new table', async () => {
    const text = '1;2026-01-05;ann\n2;2026-01-06;bob\n'
    const { status, stderr } = await load(['-'], text)
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain(
      'semicolons between fields, no header, since the first line is data (see --header)',
    )
    expect(await stored()).to.deep.include({ columns: ['column_1', 'column_2', 'column_3'] })
    expect((await stored()).rows).to.have.length(2)
    await database.pool.query('DROP TABLE made')
    expect((await load(['-', '--header'], text)).status).to.equal(0)
    expect(await stored()).to.deep.include({ columns: ['1', '2026-01-05', 'ann'] })
  })

  it("the only line of a file is a row if it has a number, and NULL in a number's place is no name", async () => {
    expect((await load(['-'], '1,Ada,36\n')).status).to.equal(0)
    expect((await stored()).rows).to.deep.equal([[1, 'Ada', 36]])
    await database.pool.query('DROP TABLE made')
    const text = '1,NULL,5\n2,3,6\n'
    expect((await load(['-', '--null', 'NULL'], text)).status).to.equal(0)
    expect((await stored()).rows).to.deep.equal([
      [1, null, 5],
      [2, 3, 6],
    ])
  })

  it('a delimiter of several characters, or one that is hard to type, is accepted, also in another encoding', async () => {
    const bytes = Buffer.from('id||name\n1||\xcf\xf0\xe8\n', 'latin1')
    const path = await file('russian.txt', bytes)
    const first = await load([path, '--format', 'csv', '--delimiter', '||', '--encoding', 'cp1251'])
    expect(first.status, first.stderr).to.equal(0)
    expect((await stored()).rows).to.deep.equal([[1, 'При']])
    await database.pool.query('DROP TABLE made')
    const second = await load(['-', '--delimiter', '\\x01'], 'id\x01name\n1\x01a,b\n')
    expect(second.status, second.stderr).to.equal(0)
    expect((await stored()).rows).to.deep.equal([[1, 'a,b']])
  })
})
