import { writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { type Ended, run } from '../support.ts'

describe('the messages of pg-batch', () => {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS people, notes, made;
      DROP FUNCTION IF EXISTS refuse;
      CREATE TABLE people (id int PRIMARY KEY, name text, nick varchar);
      CREATE TABLE notes (person_id int REFERENCES people, note text);
      CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY, name text, twice text GENERATED ALWAYS AS (name || name) STORED);
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no % here', NEW.name USING ERRCODE = TG_ARGV[0]; END $$;
      INSERT INTO people VALUES (1, 'Ada')`),
  )

  const pgBatch = (words: readonly string[], input?: string): Promise<Ended> =>
    run(words, { DATABASE_URL: database.connectionString }, input)
  const load = (words: readonly string[], input: string) => pgBatch(['load', '-', ...words], input)

  async function count(table: string): Promise<number> {
    return (await database.pool.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0].n
  }

  describe('for a row that the server refused', () => {
    it('are the character that no type holds, and the column', async () => {
      const { status, stderr } = await load(
        ['-t', 'people', '-f', 'ndjson'],
        '{"id":2,"name":"secret\\u0000"}',
      )
      expect(stderr).to.match(
        /^pg-batch: standard input: row 1 \(line 1\): a text with a character that no type holds, such as U\+0000, for "name" \(22021\); --rejects FILE keeps such rows and loads the others; nothing committed\n$/,
      )
      expect(status).to.equal(1)
    })

    for (const [state, said] of [
      ['P0001', 'a trigger or a function refused the row (P0001)'],
      ['22023', 'the server refused the row: invalid parameter value (22023)'],
      ['XY001', 'the server refused the row (XY001)'],
    ]) {
      it(`are the condition of ${state}, which a function raised`, async () => {
        await database.pool.query(
          `CREATE TRIGGER refuse BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION refuse('${state}')`,
        )
        const { stderr } = await load(['-t', 'people'], 'id,name\n2,secret\n')
        expect(stderr)
          .to.contain(
            `row 1 (line 2): ${said}; --rejects FILE keeps such rows with the server's message, and loads the others;`,
          )
          .and.not.contain('secret')
      })
    }

    it('are that --rejects finds the row if the server does not name it', async () => {
      const { stderr } = await load(['-t', 'notes'], 'person_id,note\n1,a\n7,b\n')
      expect(stderr).to.match(
        /^pg-batch: notes: .*notes_person_id_fkey.* \(23503\); the row that it refers to is not in "people", which has to be loaded first; --rejects FILE finds the row, keeps it and loads the others; nothing committed\n$/,
      )
      const rejects = `${await file('no-rejects', '')}.ndjson`
      const ended = await load(['-t', 'notes', '--rejects', rejects, '--reject-limit', '0'], 'person_id\n7\n')
      expect(ended.stderr).to.contain('23503').and.not.contain('--rejects FILE')
    })
  })

  describe('for a key that is not a column', () => {
    it('say which column it is taken for, if the row does not name that column, too', async () => {
      const { status, stderr } = await load(['-t', 'people'], '{"ID":2,"name":"Grace"}\n')
      expect({ status, stderr }).to.deep.equal({
        status: 0,
        stderr: 'standard input: took "ID" for column "id"\n',
      })
      expect((await load(['-t', 'people'], '{"ID":3,"id":4}\n')).stderr).to.contain(
        'it has "ID", which is not a column of people; ',
      )
    })

    it('suggest a column if one is similar', async () => {
      const said = async (key: string) => (await load(['-t', 'people'], `{"id":2,"${key}":1}`)).stderr
      expect(await said('nmae')).to.contain(
        '; did you mean "name"?; --columns loads only those that you name;',
      )
      expect(await said('zip')).to.contain(
        'it has "zip", which is not a column of people; --columns loads only',
      )
    })

    it('name no options that replay does not have', async () => {
      const path = await file('bad.ndjson', '{"idd":2}\n')
      const { stderr } = await pgBatch(['replay', path, '-t', 'people'])
      expect(stderr).to.match(
        /: row 1 \(line 1\): it has "idd", which is not a column of people; did you mean "id"\?; nothing committed\n$/,
      )
      await writeFile(path, Buffer.from('{"id":2,"name":"\xe9"}\n', 'latin1'))
      expect((await pgBatch(['replay', path, '-t', 'people'])).stderr).to.match(
        /^pg-batch: .*: line 1 is not valid UTF-8(; nothing committed)?\n$/,
      )
    })
  })

  it('name the columns of the file that can be written if the server generates others', async () => {
    const { stderr } = await load(['-t', 'made'], 'id,name,twice\n7,a,aa\n')
    expect(stderr).to.equal(
      'pg-batch: standard input: the header names "id", which made generates itself (GENERATED ALWAYS AS IDENTITY); --identity keep writes the file\'s values, or name the others with --columns name\n',
    )
    expect((await load(['-t', 'made', '--columns', 'name'], 'id,name,twice\n7,a,aa\n')).status).to.equal(0)
    expect((await load(['-t', 'made'], '{"name":"b","id":7}')).stderr).to.contain(
      'row 1 (line 1): it has "id", which made generates itself (GENERATED ALWAYS AS IDENTITY); --identity keep writes the file\'s values, or name the others with --columns;',
    )
    expect((await load(['-t', 'made', '--columns', 'name'], '{"name":"b","id":7}')).status).to.equal(0)
    expect((await database.pool.query('SELECT * FROM made ORDER BY id')).rows).to.deep.equal([
      { id: 1, name: 'a', twice: 'aa' },
      { id: 2, name: 'b', twice: 'bb' },
    ])
  })

  it('say how to skip a column without a name, and that works', async () => {
    const frame = ',id,name\n0,2,Grace\n1,3,Edsger\n'
    expect((await load(['-t', 'people'], frame)).stderr).to.equal(
      'pg-batch: standard input: column 1 of 3 has no name in the header; to skip it, name the others with --columns id,name\n',
    )
    expect((await load(['-t', 'people', '--columns', 'id,name'], frame)).status).to.equal(0)
    expect(await count('people')).to.equal(3)
    const rejects = `${await file('skipped', '')}.ndjson`
    await load(['-t', 'people', '-c', 'id,name', '--rejects', rejects], ',id,name\n0,1,again\n')
    await database.pool.query('DELETE FROM people WHERE id = 1')
    expect((await pgBatch(['replay', rejects, '-t', 'people'])).status).to.equal(0)
  })

  describe('for --on-conflict, before anything else,', () => {
    const mistakes: [title: string, words: string[], message: RegExp][] = [
      [
        'suggest a column',
        ['--on-conflict', 'di'],
        /names "di", which is not a column of people; its columns are: .*; did you mean "id"\?/,
      ],
      [
        'say that there is no such key',
        ['--on-conflict', 'name'],
        /names \(name\), which is not a unique key of people, whose unique keys are: \(id\)/,
      ],
      [
        'give the statement that makes a key',
        ['-t', 'notes', '--on-conflict', 'note'],
        /key of notes; make one: CREATE UNIQUE INDEX ON "notes" \("note"\)\n$/,
      ],
      [
        'say that there is no such index, and suggest one',
        ['--on-conflict', 'index:people_pky'],
        /names "people_pky", which is not a unique index of people; it has: people_pkey; did you mean "people_pkey"\?\n$/,
      ],
      [
        'say that there is no such constraint',
        ['-t', 'notes', '--on-conflict', 'constraint:notes_key'],
        /names "notes_key", which is not a unique constraint of notes; it has none\n$/,
      ],
      [
        'say that the file does not have it',
        ['--on-conflict', 'id', '-c', 'name'],
        /names "id", which is not a column of standard input; its columns are: name/,
      ],
    ]
    for (const [title, words, message] of mistakes) {
      it(title, async () => {
        for (const more of [['--truncate'], ['--dry-run']]) {
          const { status, stdout, stderr } = await load(['-t', 'people', ...words, ...more], 'id,name\n2,x\n')
          expect(stderr)
            .to.match(message)
            .and.match(/^pg-batch: --on-conflict [^\n]+\n$/)
          expect({ status, stdout }).to.deep.equal({ status: 1, stdout: '' })
          expect(await count('people')).to.equal(1)
        }
      })
    }

    it('also name the column of --newer-by', async () => {
      const newer = (...words: string[]) =>
        load(['-t', 'people', '--on-conflict', 'id', '--newer-by', ...words], 'id,name\n2,x\n')
      expect((await newer('nmae')).stderr).to.match(/^pg-batch: --newer-by names "nmae", .* "name"\?\n$/)
      expect((await newer('name', '-c', 'id')).stderr).to.match(
        /^pg-batch: --newer-by names "name", which is not a column of standard input; its columns are: id\n$/,
      )
    })

    it('say that a new table has no such key', async () => {
      const create = (...words: string[]) => load(['-t', 'fresh', '--create', ...words], 'id,name\n2,x\n')
      expect((await create('--on-conflict', 'id')).stderr).to.match(
        /names \(id\), which is not a unique key of fresh, which gets none without --key\n$/,
      )
      expect((await create('--on-conflict', 'nmae')).stderr).to.match(/did you mean "name"\?\n$/)
      expect((await database.pool.query("SELECT to_regclass('fresh') AS t")).rows).to.deep.equal([
        { t: null },
      ])
      expect((await create('--on-conflict', 'id', '--key', 'id')).status).to.equal(0)
      await database.pool.query('DROP TABLE fresh')
    })
  })

  it('name the columns that force text, with --dry-run', async () => {
    await database.pool.query('CREATE TABLE shapes (id int, at point, box box, size int4range)')
    const plan = async (header: string, ...words: string[]) =>
      (await load(['-t', 'shapes', '--dry-run', ...words], `${header}\n`)).stdout
    expect(await plan('id,size')).not.to.contain('format:')
    expect(await plan('id,at')).to.match(/format: {2}text, because of the column "at" \(point\)\n/)
    const both = /format: {2}text, because of the columns "at" \(point\), "box" \(box\)\n/
    expect(await plan('id,box,at')).to.match(both)
    expect(await plan('{"id":1}', '-f', 'ndjson')).to.match(both)
    await database.pool.query('CREATE VIEW seen AS SELECT * FROM shapes')
    expect((await load(['-t', 'seen', '--dry-run'], 'id,at\n')).stdout).not.to.contain('format:')
  })

  it('say with --dry-run what happens to rows that are in the table', async () => {
    const plan = async (...words: string[]) =>
      (await load(['-t', 'people', '--dry-run', ...words], 'id,name\n1,x\n')).stdout
    expect(await plan()).to.match(/table: {3}people, appended to\n/)
    expect(await plan('--on-conflict', 'id')).to.match(
      /table: {3}people, appended to, rows with the same \(id\) are updated \(upsert\)\n/,
    )
    expect(await plan('--on-conflict', 'id', '--newer-by', 'name', '--update-only')).to.match(
      /rows with the same \(id\) are updated where name is greater, others are left out\n/,
    )
    expect(await plan('--on-conflict', 'constraint:people_pkey')).to.match(
      /rows with the same key by people_pkey are updated \(upsert\)\n/,
    )
    expect(await plan('--on-conflict-do', 'nothing')).to.match(
      /table: {3}people, appended to, rows that are in it are left as they are\n/,
    )
  })
})
