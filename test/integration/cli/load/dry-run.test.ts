import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

const TRIED = /^(Tried .+)\n((?: .+\n)*)/m

describe('pg-batch load --dry-run', () => {
  const database = useDatabase()
  const file = useFolder()
  const env = () => ({ DATABASE_URL: database.connectionString })
  const load = (...words: string[]) => run(['load', ...words], env())
  const load0 = (input: string, ...words: string[]) => run(['load', '-', ...words], env(), input)

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS t, made, tree, pg_batch_resume, pg_batch_checkpoint, pg_batch_rejects;
      CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n > 0), name varchar(5))`),
  )

  async function count(table = 't'): Promise<number> {
    const { rows } = await database.pool.query(`SELECT count(*)::int FROM ${table}`)
    return rows[0].count
  }

  const csv = (rows: number, bad: Readonly<Record<number, string>> = {}) =>
    `id,n,name\n${Array.from({ length: rows }, (_, index) => bad[index + 1] ?? `${index + 1},1,x`).join('\n')}\n`

  it('tries the first rows, writes none, and says how many would be written', async () => {
    const ended = await load(await file('t.csv', csv(1500)), '-t', 't', '--dry-run')
    expect(ended.status, ended.stderr).to.equal(0)
    expect(ended.stdout).to.contain(
      'Tried the first 1,000 rows in a transaction that was rolled back: 1,000 would be written.\n' +
        'Triggers have run, and sequences have advanced. --dry-run=all tries all rows.\n',
    )
    expect(await count()).to.equal(0)
  })

  it('tries all rows with --dry-run=all, in one transaction', async () => {
    const path = await file('t.csv', csv(7000, { 6500: '3,1,x' }))
    const first = await load(path, '-t', 't', '--dry-run')
    expect(first.status, first.stderr).to.equal(0)
    const all = await load(path, '-t', 't', '--dry-run=all')
    expect(all.stderr).to.match(
      /^pg-batch: .*row 6,500 \(line 6501\): duplicate key .*\(23505\); --on-conflict id .*; nothing committed\n$/,
    )
    expect(all.status).to.equal(1)
    const upsert = await load(path, '-t', 't', '--dry-run=all', '--on-conflict', 'id')
    expect(upsert.stdout).to.contain(
      'Tried 7,000 rows in a transaction that was rolled back: 7,000 would be written.',
    )
    expect(await count()).to.equal(0)
  })

  for (const [bad, message] of [
    ['7,x,a', /row 7 \(line 8\): not a valid integer for "n" \(22P02\)/],
    ['7,0,a', /row 7 \(line 8\): .*check constraint "t_n_check".* \(23514\)/],
    ['7,1,abcdef', /row 7 \(line 8\): too long for "name", which is character varying\(5\) \(22001\)/],
    ['7,1', /row 7\b.*line 8/],
  ] as const) {
    for (const words of [[], ['--on-conflict', 'id']]) {
      it(`fails as a load would: ${bad} ${words.join(' ')}`, async () => {
        const path = await file('bad.csv', csv(20, { 7: bad }))
        const dry = await load(path, '-t', 't', '--dry-run', ...words)
        if (words.length === 0) expect(dry.stderr).to.match(message)
        const real = await load(path, '-t', 't', ...words)
        expect(dry.stderr).to.equal(real.stderr)
        expect([dry.status, real.status, await count()]).to.deep.equal([1, 1, 0])
      })
    }
  }

  it('counts what would be rejected and repaired, and writes no file', async () => {
    const path = await file(
      'bad.csv',
      csv(20, { 3: '3,x,a', 5: '5,0,a', 6: '6,y,a', 9: '9,1', 10: '10,1,"a"b' }),
    )
    const rejects = `${path}.ndjson`
    const { status, stdout, stderr } = await load(
      path,
      '-t',
      't',
      '--dry-run',
      '--rejects',
      rejects,
      '--lenient',
    )
    expect(status, stderr).to.equal(0)
    const [, line, reasons] = TRIED.exec(stdout)!
    expect(line).to.equal(
      'Tried 20 rows in a transaction that was rolled back: 16 would be written, 4 would be rejected.',
    )
    expect(reasons).to.equal(
      '  22P02: 2 rows, invalid_text_representation, for example row 3\n' +
        '  23514: 1 row, check_violation, for example row 5\n' +
        '  VALUE_NOT_ENCODABLE: 1 row, not sent, for example row 10\n',
    )
    expect(stdout).to.match(/^1 record repaired: /m)
    expect(await readFile(rejects, 'utf8').catch(() => 'none')).to.equal('none')
    expect(await count("pg_catalog.pg_class WHERE relname LIKE 'pg_batch%'")).to.equal(0)
  })

  it('makes the table of --create in the same transaction', async () => {
    const path = await file('made.csv', csv(1500, { 990: '990,1,y' }))
    const good = await load(path, '-t', 'made', '--create', '--key', 'id', '--dry-run=all')
    expect(good.stdout, good.stderr).to.contain('CREATE TABLE "made"').and.contain('1,500 would be written')
    const twice = await file('twice.csv', csv(10, { 9: '1,1,y' }))
    const bad = await load(twice, '-t', 'made', '--create', '--key', 'id', '--dry-run')
    expect(bad.stderr).to.match(/row 9 \(line 10\): duplicate key .*\(23505\)/)
    const later = await file('later.csv', csv(1500, { 1400: 'x,1,y' }))
    const mismatch = await load(later, '-t', 'made', '--create', '--dry-run=all')
    const real = await load(later, '-t', 'made', '--create')
    expect(mismatch.stderr).to.contain('row 1,400').and.contain('"id"')
    expect(real.stderr).to.contain(mismatch.stderr.trim().split('\n').at(-1)!)
    expect((await database.pool.query(`SELECT to_regclass('made') AS made`)).rows[0].made).to.equal(null)
  })

  for (const name of ['xmin', 'ctid', 'tableoid']) {
    it(`refuses a header with ${name}, as the load does`, async () => {
      const text = `id,${name}\n1,2\n`
      const dry = await load0(text, '-t', 'made', '--create', '--dry-run')
      const real = await load0(text, '-t', 'made', '--create')
      expect(dry.stderr).to.contain(
        `made cannot be created: column name "${name}" conflicts with a system column name; ` +
          `--map ${name}=${name}_ gives the column another name`,
      )
      expect(real.stderr).to.contain(dry.stderr.trim().split('\n').at(-1)!)
      expect([dry.status, real.status]).to.deep.equal([1, 1])
      const mapped = await load0(text, '-t', 'made', '--create', '--map', `${name}=${name}_`, '--dry-run')
      expect(mapped.status, mapped.stderr).to.equal(0)
      const existing = await load0(text, '-t', 't', '--dry-run')
      expect(existing.stderr).to.contain(`the header names "${name}", which is not a column of t`)
    })
  }

  it('tries rows against an emptied table with --truncate, and keeps the rows', async () => {
    await database.pool.query(`INSERT INTO t VALUES (1, 1, 'a')`)
    const path = await file('t.csv', csv(10))
    const without = await load(path, '-t', 't', '--dry-run')
    expect(without.stderr).to.contain('(23505)')
    const ended = await load(path, '-t', 't', '--dry-run', '--truncate')
    expect(ended.stdout, ended.stderr).to.contain('10 would be written')
    expect(await count()).to.equal(1)
  })

  it('leaves the table as it is with --replace, --evolve and --single-transaction', async () => {
    await database.pool.query(`INSERT INTO t VALUES (1, 1, 'a')`)
    const plain = await file('t.csv', csv(3))
    const wider = await file('wider.csv', 'id,n,name,more\n2,1,b,5\n')
    const json = await file('wider.ndjson', '{"id":2}\n{"id":3,"later":7}\n')
    for (const words of [
      [plain, '--replace'],
      [wider, '--evolve'],
      [json, '--evolve'],
      [wider, '--evolve', '--replace'],
      [wider, '--evolve', '--single-transaction'],
    ]) {
      for (const dry of ['--dry-run', '--dry-run=all']) {
        const ended = await load(...words, '-t', 't', dry)
        expect(ended.status, ended.stderr).to.equal(0)
        const { rows } = await database.pool.query('SELECT * FROM t')
        expect(rows).to.deep.equal([{ id: 1, n: 1, name: 'a' }])
      }
    }
  })

  it('counts rows that would change nothing', async () => {
    await database.pool.query(`INSERT INTO t VALUES (1, 1, 'a')`)
    const ended = await load(
      await file('t.csv', csv(10)),
      '-t',
      't',
      '--dry-run',
      '--on-conflict-do',
      'nothing',
    )
    expect(ended.stdout, ended.stderr).to.contain('9 would be written, 1 would change nothing')
  })

  it('reads several files, NDJSON and standard input', async () => {
    const one = await file('1.csv', csv(10))
    const two = await file('2.csv', `id,n,name\n11,1,a\n12,x,b\n`)
    const several = await load(one, two, '-t', 't', '--dry-run')
    expect(several.stderr).to.match(/2\.csv: row 2 .*22P02/)
    const ndjson = await load0('{"id":1,"n":1}\n{"id":2,"n":"x"}\n', '-t', 't', '-f', 'ndjson', '--dry-run')
    expect(ndjson.stderr).to.match(/row 2.*22P02/)
    const input = await load0(csv(3), '-t', 't', '--dry-run')
    expect(input.stdout).to.contain('Tried 3 rows')
  })

  it('starts after the rows that a resumed load has written, and stores nothing', async () => {
    const path = await file('t.csv', csv(30, { 25: '25,x,x' }))
    const words = [path, '-t', 't', '--resume', 'r', '--batch-size', '10']
    const before = await load(...words, '--dry-run')
    expect(before.stderr).to.contain('row 25')
    expect(
      (await database.pool.query(`SELECT to_regclass('pg_batch_resume') AS made`)).rows[0].made,
    ).to.equal(null)
    await load(...words)
    const written = await count()
    expect(written).to.be.above(0)
    const after = await load(...words, '--dry-run')
    expect(after.stderr).to.match(/row 25 \(line 26\): .*22P02/)
    expect(await count()).to.equal(written)
  })

  it('does not report a row whose parent may come later', async () => {
    await database.pool.query('CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree)')
    const rows = Array.from({ length: 3000 }, (_, index) => `${3000 - index},${2999 - index || ''}`)
    const path = await file('tree.csv', `id,parent\n${rows.join('\n')}\n`)
    const first = await load(path, '-t', 'tree', '--dry-run')
    expect(first.stderr).to.contain(
      'or it comes after the rows that were tried: --dry-run=all tries all of them',
    )
    const all = await load(path, '-t', 'tree', '--dry-run=all')
    expect(all.stdout, all.stderr).to.contain('3,000 would be written')
  })

  it('judges constraints that wait for the end of a transaction', async () => {
    await database.pool.query(`ALTER TABLE t ADD CONSTRAINT late UNIQUE (name) DEFERRABLE INITIALLY DEFERRED`)
    const ended = await load(await file('t.csv', csv(3)), '-t', 't', '--dry-run')
    expect(ended.stderr).to.contain('"late"')
    expect(ended.status).to.equal(1)
  })

  it('does not take the name of a file for its value, and names it for a wrong one', async () => {
    const path = await file('t.csv', csv(3))
    const { status, stderr } = await run(['load', '--dry-run', path, '-t', 't'], env())
    expect(status, stderr).to.equal(0)
    const wrong = await load(path, '-t', 't', '--dry-run=some')
    expect(wrong.stderr).to.contain('--dry-run')
    expect(wrong.status).to.equal(2)
  })
})
