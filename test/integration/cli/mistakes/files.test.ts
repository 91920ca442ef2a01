import { execFileSync } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('what pg-batch prints, word for word, for a file that is not of rows,', () => {
  const database = useDatabase()
  const file = useFolder()

  before(() => database.pool.query('CREATE TABLE guests (id int PRIMARY KEY, name text)'))

  async function printed(words: readonly string[], input = ''): Promise<string> {
    const { stderr, stdout } = await run(words, { DATABASE_URL: database.connectionString }, input)
    expect(stdout).to.equal('')
    return stderr
  }

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
    [
      'p.csv',
      'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n',
      () => `a pointer of Git LFS, which is not the file itself: git lfs pull fetches that${TABLE}`,
    ],
    [
      'q.sql',
      "SET client_encoding = 'UTF8';\nCOPY public.t (id) FROM stdin;\n1\n",
      path => `a script of SQL statements, which psql runs: psql -f ${path}${TABLE}`,
    ],
    [
      'r.sql',
      '\\restrict x\n\n/* settings */\n-- of psql\r\nSET a = b;\r\n',
      path => `a script of SQL statements, which psql runs: psql -f ${path}${TABLE}`,
    ],
    ...(['ARROW1\0\0', 'Obj\x01\x02', 'ORC\n\x01\0'] as const).map(
      (bytes, at): [string, string, () => string] => [
        `o${at}.csv`,
        bytes,
        () =>
          `a file of Apache ${['Arrow', 'Avro', 'ORC'][at]}, which is not read here; convert it to Parquet and load that`,
      ],
    ),
    ...(
      [
        ['{"id": 1}\n{"id": 2}\n', 'ndjson'],
        ['[{"id": 1},\n{"id": 2}]\n', 'json'],
        ['{\n  "id": 1\n}\n', 'json'],
      ] as const
    ).map(([text, format], at): [string, string, () => string] => [
      `r${at}.csv`,
      text,
      () =>
        `JSON: --format ${format} reads it; if it is CSV after all, name what is between its ` +
        "fields: --delimiter '|'",
    ]),
    [
      'j.csv',
      '\xef\xbb\xbf<!DOCTYPE html>\n<p>Not found, sorry',
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

  it('and reads rows that have statements in them', async () => {
    await database.pool.query('CREATE TABLE scripts (id int, sql text)')
    for (const statement of ['SET search_path = x;', 'COPY x (id) FROM stdin;']) {
      const path = await file('scripts.csv', `id,sql\n1,"begin;\n${statement}\nselect 1"\n2,ok\n`)
      const ended = await run(['load', path, '-t', 'scripts'], { DATABASE_URL: database.connectionString })
      expect(ended.status, ended.stderr).to.equal(0)
    }
  })

  it('and names those whose bytes are not packed, although their names say so', async () => {
    for (const [ending, packing] of [
      ['gz', 'gzip'],
      ['zst', 'Zstandard'],
      ['br', 'Brotli'],
    ] as const) {
      for (const [name, text] of [
        [`rows.csv.${ending}`, 'id\n7\n'],
        [`rows.ndjson.${ending}`, '{"id":7}\n'],
      ] as const) {
        const path = await file(name, text)
        const { status, stderr } = await run(['load', path, '-t', 'guests', '--on-conflict-do', 'nothing'], {
          DATABASE_URL: database.connectionString,
        })
        expect(stderr).to.equal(
          `${path}: not packed with ${packing}, although its name says so; read as it is\n`,
        )
        expect(status).to.equal(0)
      }
    }
  })

  it('but one whose columns are laid out for the eye', async () => {
    const shown =
      'it is a table as a program shows it; psql --csv, or mysql --batch, writes one that can be read; ' +
      "if it is CSV after all, name what is between its fields: --delimiter '|'"
    const fixed =
      'its lines seem to have columns of a fixed width, which are not read here; ' +
      'put delimiters between them first, for example with FIELDWIDTHS of gawk; ' +
      "if each line is one text: --delimiter '\\x01'"
    for (const [text, fault] of [
      [' id | name \n----+------\n  1 | a\n(1 row)\n', shown],
      ['| id | name |\n|----|:----:|\n| 1 | a |\n', shown],
      ['+----+------+\n| id | name |\n+----+------+\n|  1 | a    |\n+----+------+\n', shown],
      ['0001 Smith     12.00\r\n0002 Miller   712.50\r\n'.repeat(3), fixed],
    ] as const) {
      for (const words of [[], ['--table', 'made', '--create']]) {
        const path = await file('shown.txt', text)
        expect(await printed(['load', path, '-t', 'guests', ...words])).to.equal(
          `pg-batch: ${path}: ${fault}\n`,
        )
      }
    }
    for (const text of [
      'name\nAnn Smith\n',
      'name\nAn  Lee\nBo  Ray\n',
      'name\n---\nabc\n',
      'K1A  0B1\n'.repeat(4),
    ]) {
      const ended = await run(
        ['load', '-', '-t', 'guests', '--map', 'name=name', '--dry-run'],
        {
          DATABASE_URL: database.connectionString,
        },
        text,
      )
      expect(ended.stderr).not.to.contain('fixed width').and.not.to.contain('shows it')
    }
  })

  it('but a tar archive that gzip has packed, whatever its name', async () => {
    const path = await file('packed.csv.gz', gzipSync(tar))
    expect(await printed(['load', path, '-t', 'guests'])).to.contain('it is a tar archive')
  })

  it('but an archive that tar itself has made, which its own command unpacks', async function () {
    if (process.platform === 'win32') this.skip() // which has no sh; CI never runs there
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
      /: it is a program|: cannot recognize the format/,
    )
  })
})
