import { expect } from 'chai'
import { run, runProcess } from '../support.ts'

describe('what pg-batch prints, word for word, for a word that is mistyped or forgotten', () => {
  const mistakes: [words: string, message: string][] = [
    ['guests.csv', "unknown command 'guests.csv'; did you mean: pg-batch load guests.csv --table guests"],
    [
      'in/Sales-2026.csv.gz',
      "unknown command 'in/Sales-2026.csv.gz'; did you mean: pg-batch load in/Sales-2026.csv.gz --table sales_2026",
    ],
    ['lod guests.csv', "unknown command 'lod' (Did you mean load?)"],
    ['load guests.csv', 'name the table, for example with --table guests'],
    ['load guests.csv people', 'name the table, for example with --table people'],
    ['load guests.csv more.csv', 'name the table, for example with --table guests'],
    ['load -', 'name the table, with --table'],
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
  mistakes.push(
    ['load a.csv -t a --header=false', "option '--header' takes no value; write --no-header"],
    ['load a.csv -t a --truncate=false', "option '--truncate' takes no value; write no --truncate"],
    ['load a.csv -t a --lenient=1', "option '--lenient' takes no value; write --lenient"],
    ['load a.csv –table a', "'–table' begins with a dash of word processors; write --table"],
    ['load a.csv -t a —dry-run', "'—dry-run' begins with a dash of word processors; write --dry-run"],
    [
      'load a.csv -t a —format=csv',
      "'—format=csv' begins with a dash of word processors; write --format=csv",
    ],
    ['load –fw.csv -t a --embedded', `–fw.csv: no such file; the folder is ${process.cwd()}`],
    ['load a.csv -t a --map —x=line --embedded', `a.csv: no such file; the folder is ${process.cwd()}`],
    ['load a.csv –t a', "'–t' begins with a dash of word processors; write -t"],
  )
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
  const looksLike = 'Expected --database to look like postgres://user:password@host:5432/database'
  const ports: typeof mistakes = [
    [
      'load a.csv -t a -d postgres://me@db1:54321000/shop',
      'Expected the port of --database to be from 1 to 65535, got "54321000"; the usual one is 5432',
    ],
    [
      'load a.csv -t a -d postgres://me:secret@db1:543x/shop',
      `${looksLike}, where the port is a number from 1 to 65535, usually 5432`,
    ],
  ]
  for (const [words, message] of [...mistakes, ...habits, ...ports]) {
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
