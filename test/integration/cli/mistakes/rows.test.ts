import { expect } from 'chai'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

const OTHERS = '--rejects FILE keeps such rows and loads the others; nothing committed'

describe('what pg-batch prints, word for word,', () => {
  const database = useDatabase()

  before(() =>
    database.pool.query(
      'CREATE TABLE guests (id int PRIMARY KEY, name varchar(3), ok boolean, age int CHECK (age >= 0), born date)',
    ),
  )

  async function load(input: string, ...words: string[]): Promise<string> {
    const env = { DATABASE_URL: database.connectionString }
    const { stderr, stdout } = await run(['load', '-', '-t', 'guests', ...words], env, input)
    expect(stdout).to.equal('')
    return stderr
  }

  describe('for a bad row', () => {
    const rows: [title: string, input: string, message: string][] = [
      [
        'no boolean',
        'id,ok\n1,t\n2,maybe\n',
        `row 2 (line 3): not a valid boolean for "ok" (22P02); ${OTHERS}`,
      ],
      [
        'a text that is too long',
        'id,name\n1,Adam\n',
        `row 1 (line 2): too long for "name", which is character varying(3) (22001); ${OTHERS}`,
      ],
      [
        'a number that is too large',
        'id\n99999999999\n',
        `row 1 (line 2): out of the range of integer for "id" (22003); ${OTHERS}`,
      ],
      [
        'a day that is not in the calendar',
        'id,born\n1,2026-02-30\n',
        `row 1 (line 2): out of the range of date for "born" (22008); ${OTHERS}`,
      ],
      [
        'a broken CHECK',
        'id,age\n1,-1\n',
        `row 1 (line 2): new row for relation "guests" violates check constraint "guests_age_check" (23514); ${OTHERS}`,
      ],
      [
        'a key that comes twice',
        'id\n1\n1\n',
        'row 2 (line 3): duplicate key value violates unique constraint "guests_pkey" (23505); ' +
          '--on-conflict id updates the row that is there, --on-conflict-do nothing keeps it; nothing committed',
      ],
      [
        'a value after a record of three lines and a blank line',
        'id,ok,name\n1,t,"\n\n"\n\n2,x,y\n',
        `row 2 (line 6): not a valid boolean for "ok" (22P02); ${OTHERS}`,
      ],
    ]
    for (const [title, input, message] of rows) {
      it(`with ${title}`, async () => {
        expect(await load(input, '-f', 'csv', '--delimiter', ',')).to.equal(
          `pg-batch: standard input: ${message}\n`,
        )
      })
    }
  })

  describe('for a header', () => {
    it('with a name that is nearly that of a column', async () => {
      expect(await load('id,nmae\n1,Ada\n')).to.equal(
        'pg-batch: standard input: the header names "nmae", which is not a column of guests; its columns are: ' +
          'id, name, ok, age, born; did you mean "name"?; --map nmae=name loads it into a column, --columns id leaves it out\n',
      )
    })

    it('with a name that is like no column', async () => {
      expect(await load('id,zip code\n1,1234\n')).to.equal(
        'pg-batch: standard input: the header names "zip code", which is not a column of guests; its columns are: ' +
          "id, name, ok, age, born; --map 'zip code=COLUMN' loads it into a column, --columns id leaves it out\n",
      )
    })

    it('that names one column too many of a table with 60', async () => {
      const names = Array.from({ length: 60 }, (_, index) => `c${index}`)
      await database.pool.query(`CREATE TABLE wide (${names.map(name => `${name} text`).join(', ')})`)
      const { stderr } = await run(
        ['load', '-', '-t', 'wide'],
        { DATABASE_URL: database.connectionString },
        `${[...names, 'other'].join(',')}\n${names.map(() => 'x').join(',')},x\n`,
      )
      expect(stderr).to.equal(
        'pg-batch: standard input: the header names "other", which is not a column of wide; its columns are: ' +
          `${names.slice(0, 30).join(', ')} and 30 more; ` +
          '--map other=COLUMN loads it into a column, --columns A,B,C leaves it out\n',
      )
    })

    it('that is data', async () => {
      expect(await load('1,Ada\n2,Bob\n')).to.equal(
        'pg-batch: standard input: the header names "1", which is not a column of guests; its columns are: ' +
          'id, name, ok, age, born; --no-header if the first line is data, else --map 1=COLUMN loads it into a column\n',
      )
    })

    it('below the line that names the delimiter for Excel', async () => {
      for (const words of [[], ['--delimiter', ';']]) {
        expect(await load('sep=;\nid;name\n1;Ada\n', ...words, '--strict-header')).to.equal(
          'pg-batch: standard input: its first line names the delimiter for Excel (sep=;) and is not data; ' +
            "skip it: --skip-lines 1 --delimiter ';'\n",
        )
      }
    })

    it('whose delimiter is two characters, or another than the one that is named', async () => {
      expect(await load('id||name\n1||Ada\n2||Bob\n')).to.equal(
        "standard input: pipes between fields, every second field empty, a header (see --delimiter '||')\n" +
          'pg-batch: standard input: column 2 of 3 has no name in the header; ' +
          'to skip it, name the others with --columns id,name\n',
      )
      const quoted = '"id";"name"\n"1";"Ada"\n'
      for (const words of [[], ['--reject-limit', '9']]) {
        expect(await load(quoted, '--delimiter', ',', ...words)).to.equal(
          'pg-batch: standard input: line 1 has text after a closing quote (a quote inside quotes is written twice); ' +
            "if that is a delimiter: --delimiter ';'\n",
        )
      }
    })

    it('after two byte order marks, which are no part of a name', async () => {
      for (const id of ['id', '"id"']) {
        const input = `\ufeff\ufeff${id},name\n${id.length},Ada\n`
        const env = { DATABASE_URL: database.connectionString }
        expect((await run(['load', '-', '-t', 'guests'], env, input)).stderr).to.equal('')
      }
    })

    it('of one column, whose texts have commas', async () => {
      const input = 'name\nhello, world\nsome text, commas\nfoo, bar\n'
      expect(await load(input)).to.equal(
        'pg-batch: standard input: line 1 has 1 field, the records from line 2 on have 2 fields, with commas between; ' +
          'if it is a title, skip it: --skip-lines 1; ' +
          'if it is the header of a single column, say --delimiter tab, which is in no line\n',
      )
      await database.pool.query('CREATE TABLE texts (name text)')
      const words = ['load', '-', '-t', 'texts', '--delimiter', 'tab']
      expect((await run(words, { DATABASE_URL: database.connectionString }, input)).stdout).to.match(
        /: 3 rows/,
      )
    })
  })
  it('for a path of JSON that is nearly one, or another', async () => {
    const json = '{"meta": {"data": 1}, "result": {"data": [{"id": 81}], "more": [{"id": 82}]}}'
    for (const [path, fault, text = json] of [
      ['reslt.data', 'has no key "reslt"; did you mean "result"?'],
      ['result.dta', 'has no key "dta"; did you mean "data"?'],
      ['rows', 'has no key "rows"; its list of objects is "result.data"'],
      [
        'items',
        'has no key "items"; it is in a list of objects: leave out --record-path if they are the rows',
        '[{"id": 83}]',
      ],
    ] as const) {
      expect(await load(text, '-f', 'json', '--record-path', path)).to.equal(
        `pg-batch: standard input: record 1 (line 1) ${fault}; ` +
          '--rejects FILE keeps such records and loads the others; nothing committed\n',
      )
    }
  })

  it('for a type that is nearly one', async () => {
    for (const [type, meant] of [
      ['interger', 'integer'],
      ['txt', 'text'],
    ] as const) {
      const env = { DATABASE_URL: database.connectionString }
      for (const words of [[], ['--dry-run']]) {
        const all = ['load', '-', '-t', 'made', '--create', '--type', `id=${type}`, ...words]
        expect((await run(all, env, 'id\n1\n')).stderr).to.match(
          new RegExp(
            `^pg-batch: made cannot be created: type "${type}" does not exist; did you mean "${meant}"`,
            'm',
          ),
        )
      }
    }
  })
  it('for a map in the wrong order, and an action in the place of a key', async () => {
    expect(await load('ident,name\n1,Ada\n', '--map', 'id=ident')).to.equal(
      'pg-batch: --map id=ident: the name in the file comes first; say --map ident=id\n',
    )
    for (const action of ['update', 'nothing', 'ignore']) {
      expect(await load('id,name\n1,Ada\n', '--on-conflict', action)).to.equal(
        `pg-batch: --on-conflict names the columns of a key, and "${action}" is not a column of guests; ` +
          'its columns are: id, name, ok, age, born; ' +
          'their rows are updated, unless you add --on-conflict-do nothing\n',
      )
    }
  })
})
