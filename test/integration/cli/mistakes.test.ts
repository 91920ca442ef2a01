import { execFileSync } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { useDatabase } from '../../support/database.ts'
import { useFolder } from '../../support/folder.ts'
import { run, runProcess } from './support.ts'

const OTHERS = '--rejects FILE keeps such rows and loads the others; nothing committed'

describe('what pg-batch prints, word for word,', () => {
  const database = useDatabase()
  const file = useFolder()

  before(() =>
    database.pool.query(`
      CREATE TABLE guests (id int PRIMARY KEY, name varchar(3), ok boolean, age int CHECK (age >= 0), born date);
      CREATE SCHEMA shop; CREATE TABLE shop.sales (id int);
      CREATE MATERIALIZED VIEW totals AS SELECT 1 AS id; CREATE SEQUENCE numbers`),
  )

  async function printed(words: readonly string[], input = ''): Promise<string> {
    const { stderr, stdout } = await run(words, { DATABASE_URL: database.connectionString }, input)
    expect(stdout).to.equal('')
    return stderr
  }
  const load = (input: string, ...words: string[]) => printed(['load', '-', '-t', 'guests', ...words], input)
  const where = () => {
    const { host, pathname } = new URL(database.connectionString)
    return `database "${pathname.slice(1)}" on ${host}`
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

  describe('for a word that is mistyped or forgotten', () => {
    const mistakes: [words: string, message: string][] = [
      ['guests.csv', "unknown command 'guests.csv'; did you mean: pg-batch load guests.csv --table guests"],
      [
        'in/Sales-2026.csv.gz',
        "unknown command 'in/Sales-2026.csv.gz'; did you mean: pg-batch load in/Sales-2026.csv.gz --table sales_2026",
      ],
      ['lod guests.csv', "unknown command 'lod' (Did you mean load?)"],
      ['load guests.csv guests', 'name the table, for example with --table guests'],
      ['load a.csv -t a --tabel=a', "unknown option '--tabel=a' (Did you mean --table?)"],
      ['load a.csv -t a --delimeter ;', "unknown option '--delimeter' (Did you mean --delimiter?)"],
      ['load a.csv -t a --metric-file x', "unknown option '--metric-file' (Did you mean --metrics-file?)"],
      ['load a.csv -t a --dryrun', "unknown option '--dryrun' (Did you mean --dry-run?)"],
      ['replay a.ndjson -t a --batchsize 1', "unknown option '--batchsize' (Did you mean --batch-size?)"],
      ['server --prot 5432', "unknown option '--prot' (Did you mean --port?)"],
      ['load', "missing required argument 'file'; name it: pg-batch load FILE --table TABLE"],
      ['load a.csv -t', "option '-t, --table <name>' argument missing; its values: pg-batch load --help-all"],
      [
        'load a.csv -t a --columns id, name',
        "option '-c, --columns <a,b,…>' argument 'id,' is invalid. " +
          "Expected names with commas between, in quotes if there are spaces: 'a, b'.",
      ],
      ['load a.csv -t a --zzz', "unknown option '--zzz'; all options: pg-batch load --help-all"],
      ['server --zzz', "unknown option '--zzz'; all options: pg-batch server --help"],
      ['version', "unknown command 'version' (Did you mean --version?)"],
      ['completion', "missing required argument 'shell'; name it: pg-batch completion bash"],
      [
        'load https://example.com/a.csv -t a --embedded',
        'https://example.com/a.csv: no such file; load it by: ' +
          "curl -fsSL 'https://example.com/a.csv' | pg-batch load - --table TABLE",
      ],
      ['zzz', "unknown command 'zzz'; the commands: pg-batch --help"],
      [
        'load a.csv -t a --append --truncate',
        "option '--append' cannot be used with option '--truncate'; leave one of them out",
      ],
      [
        'replay a.ndjson b.ndjson -t a',
        "too many arguments for 'replay'. Expected 1 argument but got 2; a name with spaces needs quotes; see pg-batch replay --help",
      ],
    ]
    const server = 'name the server in --database postgres://USER@HOST:PORT/DATABASE'
    const habits: typeof mistakes = [
      ['load a.csv -t a -h db1', `option '-h' prints the help and takes no value; ${server}, or set PGHOST`],
      ['load a.csv -t a -hdb1', `unknown option '-hdb1'; ${server}, or set PGHOST`],
      ['load a.csv -t a --host=db1', `unknown option '--host=db1'; ${server}, or set PGHOST`],
      ['load a.csv -t a -U postgres', `unknown option '-U'; ${server}, or set PGUSER`],
      ['load a.csv -t a -Upostgres', `unknown option '-Upostgres'; ${server}, or set PGUSER`],
      ['load a.csv -t a --username me', `unknown option '--username'; ${server}, or set PGUSER`],
      ['load a.csv -t a -p 5433', `unknown option '-p'; ${server}, or set PGPORT`],
      ['replay a.ndjson -t a --port 5433', `unknown option '--port'; ${server}, or set PGPORT`],
      ['load a.csv -t a --dbname shop', `unknown option '--dbname'; ${server}, or set PGDATABASE`],
      ['load a.csv -t a -W', "unknown option '-W'; set PGPASSWORD, or use the file ~/.pgpass"],
      [
        'load a.csv -t a --schema shop',
        "unknown option '--schema'; name the schema with the table: --table SCHEMA.TABLE",
      ],
      [
        'load -f a.csv -t a',
        "option '-f, --format <format>' argument 'a.csv' is invalid. Expected one of csv, tsv, text, ndjson, " +
          'json, parquet. A file needs no option: pg-batch load FILE --table TABLE.',
      ],
      [
        'load a.csv -t a -d shop',
        'Expected --database to look like postgres://user:password@host:5432/database; ' +
          'to name the database alone, write postgres:///NAME',
      ],
      [
        'load a.csv -t a -d db1:5432/shop',
        'Expected --database to look like postgres://user:password@host:5432/database, ' +
          'with postgres:// at its beginning',
      ],
    ]
    for (const [words, message] of [...mistakes, ...habits]) {
      it(words, async () => {
        expect(await run(words.split(' '))).to.deep.equal({
          status: 2,
          stdout: '',
          stderr: `pg-batch: ${message}\n`,
        })
      })
    }

    it('SQL in the place of columns, as for psql', async () => {
      const { stderr } = await run(['load', 'a.csv', '-t', 'a', '-c', "\\copy a FROM 'a.csv' CSV"])
      expect(stderr).to.match(
        / is invalid\. Expected names with commas between, and not SQL, which is not run\.\n$/,
      )
    })

    it('help and -v are understood', async () => {
      expect((await run(['help'])).stdout).to.equal((await run(['--help'])).stdout)
      const help = await runProcess(['load', '--help'])
      expect(help.status).to.equal(0)
      expect(await runProcess(['help', 'load'])).to.deep.equal(help)
      for (const word of ['-v', '-V', '--version']) {
        expect((await run([word])).stdout).to.match(/^\d+\.\d+\.\d+\n$/)
      }
    })
  })

  describe('for a file that is not of rows', () => {
    const zip = (names: readonly string[]) =>
      `PK\x03\x04${'\0'.repeat(26)}${names.join(`PK\x03\x04${'\0'.repeat(26)}`)}`
    const tar = `a.csv${'\0'.repeat(252)}ustar\0${'0'.repeat(300)}`
    const TABLE = '; if it is a table after all: --format csv'
    const files: [name: string, bytes: string, message: (path: string) => string][] = [
      [
        'a.xlsx',
        zip(['[Content_Types].xml', 'xl/workbook.xml']),
        () =>
          'an Excel workbook (xlsx), which is not read here; save a sheet of it as CSV (UTF-8) and load that',
      ],
      [
        'b.xls',
        '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0',
        () =>
          'a workbook of old Excel (xls), which is not read here; save a sheet of it as CSV (UTF-8) and load that',
      ],
      [
        'c.tar',
        tar,
        path =>
          `a tar archive, which is not read here; unpack it: tar -xOf ${path} | pg-batch load - --table TABLE`,
      ],
      ['d.csv', '\x89PNG\r\n\x1a\n\0', () => 'a PNG image, which has no rows to load'],
      ['e', '\x7fELF\x02\x01\0', () => 'a program (ELF), which has no rows to load'],
      [
        'f.pdf',
        '%PDF-1.7\n',
        () => 'a PDF document, which is not read here; save its table as CSV and load that',
      ],
      [
        'g.db',
        'SQLite format 3\0',
        path =>
          'an SQLite database, which is not read here; export a table of it: ' +
          `sqlite3 -csv -header ${path} 'SELECT * FROM TABLE' | pg-batch load - --table TABLE`,
      ],
      [
        'h.dump',
        'PGDMP\x01\x0e\0',
        path =>
          `a dump of pg_dump in its custom format, which pg_restore loads: pg_restore -d DATABASE ${path}`,
      ],
      [
        'i.sql',
        '--\n-- PostgreSQL database dump\n--\n',
        path => `a dump of SQL statements, which psql runs: psql -f ${path}${TABLE}`,
      ],
      [
        'k.sql',
        '-- rows\nINSERT INTO guests VALUES (1);\n',
        path => `a script of SQL statements, which psql runs: psql -f ${path}${TABLE}`,
      ],
      [
        'l.xml',
        '<?xml version="1.0"?>\n<guests><guest id="1"/></guests>\n',
        () =>
          `an XML document, which is not read here; convert its records to CSV or NDJSON and load that${TABLE}`,
      ],
      [
        'm.rar',
        'Rar!\x1a\x07\x01\0',
        path =>
          `a RAR archive, which is not read here; unpack it: unrar p -inul ${path} | pg-batch load - --table TABLE`,
      ],
      [
        'n.rtf',
        '{\\rtf1\\ansi',
        () =>
          `a document of rich text (RTF), which is not read here; save its table as CSV and load that${TABLE}`,
      ],
      ...(['ARROW1\0\0', 'Obj\x01\x02', 'ORC\n\x01\0'] as const).map(
        (bytes, at): [string, string, () => string] => [
          `o${at}.csv`,
          bytes,
          () =>
            `a file of Apache ${['Arrow', 'Avro', 'ORC'][at]}, which is not read here; convert it to Parquet and load that`,
        ],
      ),
      [
        'j.csv',
        '<!DOCTYPE html>\n<p>Not found, sorry',
        () => `an HTML page, which has no rows to load; is it the error page of a download?${TABLE}`,
      ],
    ]
    for (const [name, bytes, message] of files) {
      it(`but ${name}`, async () => {
        const path = await file(name, Buffer.from(bytes, 'latin1'))
        expect(await printed(['load', path, '-t', 'guests'])).to.equal(
          `pg-batch: ${path}: it is ${message(path)}\n`,
        )
      })
    }

    it('and reads them as tables where a format is given', async () => {
      await database.pool.query('CREATE TABLE marks (text text)')
      for (const [format, text] of [
        ['csv', '<?xml version="1.0"?>\n<a/>\n'],
        ['csv', '<html lang="en">\n<a/>\n'],
        ['csv', 'INSERT INTO t\nrow\n'],
        ['csv', '-- MySQL dump\nrow\n'],
        ['text', '{\\rtf1\n'],
        ['text', 'create table is a statement\n'],
      ] as const) {
        const path = await file('marks.txt', text)
        const words = format === 'csv' ? ['--no-header', '--quote', 'none', '--delimiter', 'tab'] : []
        const ended = await run(['load', path, '-t', 'marks', '-c', 'text', '--format', format, ...words], {
          DATABASE_URL: database.connectionString,
        })
        expect(ended.status, text + ended.stderr).to.equal(0)
      }
      const { rows } = await database.pool.query('SELECT text FROM marks')
      expect(rows).to.have.length(10)
      expect(rows).to.deep.include({ text: '{\rtf1' }).and.deep.include({ text: '<?xml version="1.0"?>' })
    })

    it('but a tar archive that gzip has packed, whatever its name', async () => {
      const path = await file('packed.csv.gz', gzipSync(tar))
      expect(await printed(['load', path, '-t', 'guests'])).to.contain('it is a tar archive')
    })

    it('but an archive that tar itself has made, which its own command unpacks', async function () {
      if (process.platform === 'win32') this.skip()
      const csv = await file('rows.csv', 'id\n501\n')
      const path = join(dirname(csv), 'rows.tgz')
      execFileSync('tar', ['-czf', path, '-C', dirname(csv), 'rows.csv'])
      const said = await printed(['load', path, '-t', 'guests'])
      const [, unpack] = /unpack it: (.*) \| pg-batch load - --table TABLE\n$/.exec(said) ?? []
      expect(String(execFileSync('sh', ['-c', unpack!]))).to.equal('id\n501\n')
    })

    it('but the command itself, by the name of a table', async () => {
      const path = join(dirname(await file('x', '')), 'node.csv')
      await copyFile(process.execPath, path)
      expect(await printed(['load', path, '-t', 'guests'])).to.match(
        /: it is a program|: cannot tell the format/,
      )
    })
  })

  describe('for a table', () => {
    const target = (table: string) => printed(['load', '-', '-t', table], 'id\n1\n')

    it('in a schema that is not there', async () => {
      expect(await target('shp.sales')).to.equal(
        `pg-batch: the schema "shp" does not exist in ${where()}; its schemas are: public, shop; did you mean "shop"?\n`,
      )
    })

    it('in another schema', async () => {
      expect(await target('sales')).to.equal(
        `pg-batch: the table "sales" does not exist in ${where()}; did you mean "shop.sales"?\n`,
      )
    })

    it('that is nowhere', async () => {
      expect(await target('nowhere_at_all')).to.equal(
        `pg-batch: the table "nowhere_at_all" does not exist in ${where()}; load --create makes it\n`,
      )
    })

    it('with nearly the name of one in its schema', async () => {
      for (const [name, hint] of [
        ['shop.sale', 'did you mean "shop.sales"?'],
        ['public.guest', 'did you mean "public.guests"?'],
        ['shop.guests', 'load --create makes it'],
      ] as const) {
        expect(await target(name)).to.equal(
          `pg-batch: the table "${name}" does not exist in ${where()}; ${hint}\n`,
        )
      }
    })

    it('with the name of its database', async () => {
      expect(await target('shop.public.sales')).to.equal(
        'pg-batch: the table "shop.public.sales" has three parts; name it as "public.sales"; ' +
          'DATABASE_URL or --database names the database\n',
      )
    })

    it('that is a materialized view', async () => {
      expect(await target('totals')).to.equal(
        'pg-batch: totals is a materialized view, which takes no rows; load into a table that its query reads, ' +
          'then REFRESH MATERIALIZED VIEW totals\n',
      )
    })

    it('that is a sequence', async () => {
      expect(await target('numbers')).to.equal('pg-batch: numbers is a sequence, not a table\n')
    })

    it('to be made in a schema that is not there', async () => {
      expect(await printed(['load', '-', '-t', 'Shp.sales', '--create'], 'id\n1\n')).to.match(
        /^pg-batch: Shp\.sales cannot be created: schema "Shp" does not exist; make it first: CREATE SCHEMA "Shp"\n/m,
      )
    })
  })

  describe('for a role without a privilege', () => {
    const role = `clerk_${process.pid}`
    before(() =>
      database.pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'clerk'; CREATE SCHEMA shut; CREATE TABLE shut.t (id int);
        GRANT USAGE ON SCHEMA shop TO ${role}; REVOKE CREATE ON SCHEMA public FROM PUBLIC`),
    )
    after(() => database.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))

    async function asClerk(...words: string[]): Promise<string> {
      const url = new URL(database.directConnectionString)
      url.username = role
      url.password = 'clerk'
      const path = await file('clerk.csv', 'id\n1\n')
      return (await run(['load', path, ...words], { DATABASE_URL: url.href })).stderr
    }
    const cases: [title: string, words: string[], message: string, grant: string][] = [
      [
        'to insert',
        ['-t', 'shop.sales'],
        'sales: permission denied for table sales (42501)',
        `GRANT INSERT ON "shop"."sales" TO "${role}"; nothing committed`,
      ],
      [
        'to update',
        ['-t', 'guests', '--on-conflict', 'id'],
        'guests: permission denied for table guests (42501)',
        `GRANT SELECT, INSERT, UPDATE ON "public"."guests" TO "${role}"; nothing committed`,
      ],
      [
        'to truncate',
        ['-t', 'shop.sales', '--truncate'],
        'shop.sales cannot be emptied: permission denied for table sales',
        `GRANT TRUNCATE ON "shop"."sales" TO "${role}"`,
      ],
      [
        'to look into a schema',
        ['-t', 'shut.t'],
        'permission denied for schema shut (42501)',
        `GRANT USAGE ON SCHEMA "shut" TO "${role}"`,
      ],
      [
        'to create',
        ['-t', 'shop.new', '--create'],
        'shop.new cannot be created: permission denied for schema shop',
        `GRANT CREATE ON SCHEMA "shop" TO "${role}"`,
      ],
      [
        'to make the table that --resume needs',
        ['-t', 'shop.sales', '--resume', 'x'],
        '--resume stores its progress in the tables pg_batch_resume and pg_batch_checkpoint: ' +
          'permission denied for schema public (42501)',
        `GRANT CREATE ON SCHEMA "public" TO "${role}"`,
      ],
    ]
    for (const [title, words, message, grant] of cases) {
      it(title, async () => {
        const lines = (await asClerk(...words)).split('\n').filter(line => line.startsWith('pg-batch: '))
        expect(lines).to.deep.equal([`pg-batch: ${message}; its owner can allow it: ${grant}`])
      })
    }

    it('gives a GRANT that helps', async () => {
      await database.pool.query('CREATE TABLE shop.orders (id int, n serial)')
      for (let grants = 0; grants < 2; grants++) {
        const [, grant] = /(GRANT .*? TO "\w+")/.exec(await asClerk('-t', 'shop.orders')) ?? []
        await database.pool.query(grant!)
      }
      expect(await asClerk('-t', 'shop.orders')).to.equal('')
      expect((await database.pool.query('SELECT id FROM shop.orders')).rows).to.deep.equal([{ id: 1 }])
    })
  })

  it('never holds a piece of a password with characters that a URL does not take', async () => {
    for (const url of [
      'postgres://me:top@se/cret@127.0.0.1:1/d',
      'postgres://me:top/se@cret@127.0.0.1:1/d',
      'postgres://me:top#se/@cret@127.0.0.1:1/d',
      'postgres://me:top?se@cret@127.0.0.1:1/d',
    ]) {
      const { status, stderr } = await run(['load', '-', '-t', 't', '-d', url], {}, 'id\n1\n')
      expect(stderr).to.equal(
        'pg-batch: Expected --database to look like postgres://user:password@host:5432/database; ' +
          'percent-encode these characters of a user or a password: ' +
          '@ is %40, / is %2F, : is %3A, ? is %3F, # is %23, % is %25\n',
      )
      expect(status).to.equal(2)
    }
  })
})
