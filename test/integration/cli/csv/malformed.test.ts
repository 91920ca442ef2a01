import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { useMalformed } from '../rejects/malformed.ts'

describe('pg-batch load --rejects, of malformed records', () => {
  const { database, file, pgBatch, load, rows } = useMalformed()

  const CSV = Buffer.from('id,name\n1,a\n2,b"c\n3,"d\ne"\n4,"f"g\n5,\xe9\n6,x\0y\n7,h\n8,"i\n9,j\n', 'latin1')
  const GOOD = [
    { id: 1, name: 'a' },
    { id: 3, name: 'd\ne' },
    { id: 7, name: 'h' },
    { id: 9, name: 'j' },
  ]
  const RAW = [
    [2, { pg_batch_raw: '2,b"c' }],
    [4, { pg_batch_raw: '4,"f"g' }],
    [5, { pg_batch_raw: `\\x${Buffer.from('5,\xe9', 'latin1').toString('hex')}` }],
    [6, { pg_batch_raw: '6,x\0y' }],
    [8, { pg_batch_raw: '8,"i' }],
  ]

  for (const [way, words, prepare] of [
    ['COPY', []],
    ['INSERT', [], 'ALTER TABLE t RENAME TO real; CREATE VIEW t AS SELECT * FROM real'],
    ['COPY in its text format', [], 'ALTER TABLE t ALTER id TYPE varchar USING id::varchar'],
    ['one by one', ['--batch-size', '1']],
    ['the checkpoint', ['--resume', 'malformed', '--batch-size', '3']],
  ] as [string, string[], string?][]) {
    it(`keeps each of them with its row, its line and its text, and loads the others: ${way}`, async () => {
      await database.pool.query(
        'DROP TABLE IF EXISTS real CASCADE; DROP TABLE IF EXISTS t; CREATE TABLE t (id int, name text)',
      )
      if (prepare) await database.pool.query(prepare)
      const { ended, rejected } = await load('bad.csv', CSV, ...words)
      expect(ended.status, ended.stderr).to.equal(0)
      expect(rejected.map(([row, , raw]) => [row, raw])).to.deep.equal(RAW)
      expect(rejected.map(([, message]) => message).filter((_, i) => i !== 3)).to.deep.equal([
        'line 3 has a quote inside an unquoted field (say --quote none if quotes mean nothing in it)',
        'line 6 has text after a closing quote (a quote inside quotes is written twice)',
        'the record that begins on line 7 is not valid UTF-8',
        'line 10 begins a quoted field that never ends; reading continues with line 11',
      ])
      const stored = await rows()
      expect(stored.map(row => ({ ...row, id: Number(row.id) }))).to.deep.equal(GOOD)
      await database.pool.query('DROP TABLE IF EXISTS real CASCADE')
    })
  }

  it('takes a NUL for a fault only where its field is loaded', async () => {
    const csv = 'id,skip,name\n1,a\0b,x\n2,c,y\n3,d,z\0\n4,"e\0""",v\n'
    for (const words of [[], ['--lenient'], ['--batch-size', '1'], ['--workers', '2']]) {
      await database.pool.query('TRUNCATE t')
      const columns = ['--columns', 'id,name', '--delimiter', ',', '--header', ...words]
      // a header with a NUL is looked at only to detect a dialect, which may then be UTF-16
      const text = words.includes('--lenient') ? csv : csv.replace('skip', 'sk\0ip')
      const { ended, rejected, path } = await load('nul.csv', text, ...columns)
      expect(ended.status, ended.stderr).to.equal(0)
      expect(rejected).to.deep.equal([
        [3, 'the record that begins on line 4 has a NUL byte (U+0000)', { pg_batch_raw: '3,d,z\0' }],
      ])
      expect((await rows()).map(({ id }) => id)).to.deep.equal([1, 2, 4])
      const failed = await pgBatch('load', path, '-t', 't', ...columns)
      expect(failed.status).to.equal(1)
      expect(failed.stderr).to.match(/row 3: .*line 4 has a NUL byte .*; --rejects FILE keeps such records/)
      if (!words.includes('--lenient')) expect(failed.stderr).not.to.contain('--lenient')
    }
  })

  it('counts them for --reject-limit, and fails at the first without --rejects', async () => {
    const limited = await load('bad.csv', CSV, '--reject-limit', '2')
    expect(limited.ended.status).to.equal(1)
    const path = await file('stray.csv', 'id,name\n1,a\n2,b"c\n3,d\n')
    const alone = await pgBatch('load', path, '-t', 't')
    const hint = '; --rejects FILE keeps such records and loads the others, --lenient repairs'
    for (const { stderr, status } of [alone, await pgBatch('load', path, '-t', 'made', '--create')]) {
      expect(stderr).to.contain(`${path}: line 3 has a quote inside an unquoted field`).and.contain(hint)
      expect(stderr).to.match(/; nothing committed\n$/)
      expect(status).to.equal(1)
    }
  })

  it('makes a table from the others', async () => {
    await database.pool.query('DROP TABLE t')
    const { ended, rejected } = await load('bad.csv', CSV, '--create')
    expect(ended.stderr).to.contain('"id"   integer')
    expect(rejected.map(([row]) => row)).to.deep.equal([2, 4, 5, 6, 8])
    expect(await rows()).to.deep.equal(GOOD)
  })

  it('shows the others in a dry run', async () => {
    const { ended } = await load('bad.csv', CSV, '--dry-run')
    expect(ended.stdout).to.match(/1 .* a .*\n.*3 .* d e /)
    expect(ended.stdout).not.to.contain('pg_batch_raw')
  })

  it('does so in files whose columns are in another order', async () => {
    const first = await file('order-1.csv', 'id,name\n1,a\n2,"b"c\n3,d,e\n')
    const second = await file('order-2.csv', 'name,id\nx"y,4\nz,5\n')
    const rejects = `${first}.rejects.ndjson`
    const ended = await pgBatch('load', first, second, '-t', 't', '--rejects', rejects)
    expect(ended.status, ended.stderr).to.equal(0)
    const lines = (await readFile(rejects, 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(
      lines.map(({ source_partition, source_offset, row }) => [source_partition, Number(source_offset), row]),
    ).to.have.deep.members([
      [first, 2, { pg_batch_raw: '2,"b"c' }],
      [first, 3, { pg_batch_raw: '3,d,e' }],
      [second, 1, { pg_batch_raw: 'x"y,4' }],
    ])
    expect(await rows()).to.deep.equal([
      { id: 1, name: 'a' },
      { id: 5, name: 'z' },
    ])
  })

  it('keeps the text of the file where the delimiter is long', async () => {
    const { rejected } = await load('long.csv', 'id||name\n1||a"b\n2||c\n', '--delimiter', '||')
    expect(rejected.map(([row, , raw]) => [row, raw])).to.deep.equal([[1, { pg_batch_raw: '1||a"b' }]])
    expect(await rows()).to.deep.equal([{ id: 2, name: 'c' }])
  })

  it("continues after lines of COPY's text format that are not rows", async () => {
    const content = Buffer.from(
      '\\x\xe9\t1\n1\ta\n2\n3\t\\377\n4\t\xe9\n5\tb\\\nc\n6\tx\ry\n7\td\n\\.\n8\te\n',
      'latin1',
    )
    const { ended, rejected } = await load('bad.copy', content, '--format', 'text')
    expect(ended.status, ended.stderr).to.equal(0)
    expect(rejected).to.deep.equal([
      [1, 'line 1 is not valid UTF-8', { pg_batch_raw: '\\x5c78e90931' }],
      [3, 'line 3 has 1 field, the file has 2 columns', { pg_batch_raw: '2' }],
      [4, 'line 4 has escaped bytes that are not UTF-8', { pg_batch_raw: '3\t\\377' }],
      [5, 'line 5 is not valid UTF-8', { pg_batch_raw: '\\x3409e9' }],
      [
        7,
        'line 8 has a carriage return that is neither \\r nor at the end of each line',
        { pg_batch_raw: '6\tx\ry' },
      ],
      [9, 'line 11 follows "\\.", which ends the data', { pg_batch_raw: '8\te' }],
    ])
    expect(await rows()).to.deep.equal([
      { id: 1, name: 'a' },
      { id: 5, name: 'b\nc' },
      { id: 7, name: 'd' },
    ])
  })

  it('replays them once their fields are written', async () => {
    const { rejects } = await load('bad.csv', 'id,name\n1,"a"b\n2,c\n')
    const again = await pgBatch('replay', rejects, '-t', 't')
    expect(again.stderr).to.contain(
      'The record was malformed and has no fields: write them in place of pg_batch_raw',
    )
    const text = (await readFile(rejects, 'utf8')).replace(
      /\{"pg_batch_raw":.*?"\}/,
      '{"id": 1, "name": "a b"}',
    )
    const fixed = await file('fixed.ndjson', text)
    expect((await pgBatch('replay', fixed, '-t', 't')).status).to.equal(0)
    expect(await rows()).to.deep.equal([
      { id: 1, name: 'a b' },
      { id: 2, name: 'c' },
    ])
  })

  it('resumes after them, and has each of them in the file once', async () => {
    const text = `id,name\n${Array.from({ length: 40 }, (_, i) => (i % 7 === 3 ? `${i},"a"b` : i === 33 ? 'x,y' : `${i},a`)).join('\n')}\n`
    const path = await file('resumed.csv', text)
    const rejects = `${path}.rejects.ndjson`
    const words = ['-t', 't', '--rejects', rejects, '--resume', 'r', '--batch-size', '5']
    const stopped = await pgBatch('load', path, ...words, '--reject-limit', '4')
    expect(stopped.status).to.equal(1)
    const ended = await pgBatch('load', path, ...words)
    expect(ended.status, ended.stderr).to.equal(0)
    const lines = (await readFile(rejects, 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.map(({ source_offset }) => Number(source_offset))).to.deep.equal([4, 11, 18, 25, 32, 34, 39])
    const { rows: counted } = await database.pool.query(
      'SELECT count(*)::int, count(DISTINCT id)::int AS ids FROM t',
    )
    expect(counted).to.deep.equal([{ count: 33, ids: 33 }])
  })

  it('is one where the first record of a file without a header has another number of fields', async () => {
    const rest = Array.from({ length: 12 }, (_, at) => `${at + 2},n\n`).join('')
    for (const [first, words, fault] of [
      ['1,a,b', [], 'has 3 fields, the file has 2 columns'],
      ['1,"a"b', [], 'line 1 has text after a closing quote'],
      ['1', ['--delimiter', ','], 'has 1 field, the file has 2 columns'],
      ['1,a,', ['--delimiter', ','], 'has 3 fields, the file has 2 columns'],
    ] as [string, string[], string][]) {
      await database.pool.query('TRUNCATE t')
      const named = ['--no-header', '--columns', 'id,name', ...words]
      const { ended, rejected } = await load('first.csv', `${first}\n${rest}`, ...named)
      expect(ended.status, ended.stderr).to.equal(0)
      expect(rejected.map(([at]) => at)).to.deep.equal([1])
      expect(rejected[0]![1]).to.contain(fault)
      expect(await rows()).to.have.length(12)
      const strict = await pgBatch('load', await file('first.csv', `${first}\n${rest}`), '-t', 't', ...named)
      expect(strict.stderr).to.contain('line 1 has')
    }
    await database.pool.query('TRUNCATE t')
    const words = ['--no-header', '--columns', 'id,name', '--lenient', '--delimiter', ',']
    expect((await load('lenient.csv', `1\n${rest}`, ...words)).ended.stderr).to.contain('1 record repaired')
    expect((await load('lenient.csv', `1,a,\n${rest}`, ...words)).ended.stderr).to.contain(
      '1 record repaired',
    )
  })

  it('are those with another number of fields than --columns names, where no number is usual', async () => {
    const content = '1 a b\n2 c\n3 d e\n4 f\n5 g h i\n'
    const options = ['--delimiter', ' ', '--no-header', '--columns', 'id,name']
    for (const more of [[], ['--lenient']]) {
      const { ended, rejected } = await load('ragged.csv', content, ...options, ...more)
      expect(ended.status).to.equal(0)
      expect(rejected.map(([line]) => line)).to.deep.equal([1, 3, 5])
      expect(await rows()).to.deep.equal([
        { id: 2, name: 'c' },
        { id: 4, name: 'f' },
      ])
      await database.pool.query('TRUNCATE t')
    }
  })

  it('with a delimiter of several characters, are the same as with one', async () => {
    const tall = '5,"d\ne"\n'
    for (const lines of [
      `1,a\n2,"open\n3,c\n${tall}6,"f"\n`,
      `1,a"b\n2,"open\n3,c\n4,"x;y"\n${tall}6,"open\n7,g\n`,
      `${tall}2,"a"b\n3,"c\nd"e,"f;g"\n4,"h;i"\n8,"\n9,j\n`,
    ]) {
      const found: unknown[] = []
      for (const [name, delimiter] of [
        ['one', ';'],
        ['pipes', '||'],
        ['blank', ', '],
      ] as const) {
        await database.pool.query('TRUNCATE t')
        const inQuotes = /"[^"]*;[^"]*"/g
        const text = lines.replaceAll(',', delimiter)
        const content = `id${delimiter}name\n${text.replace(inQuotes, part => part.replaceAll(';', delimiter))}`
        const { ended, rejected } = await load(name, content, '--delimiter', delimiter)
        expect(ended.status, ended.stderr).to.equal(0)
        const plain = JSON.stringify([await rows(), rejected]).replaceAll(delimiter, ';')
        found.push(plain)
      }
      expect(found[1]).to.equal(found[0])
      expect(found[2]).to.equal(found[0])
    }
  })
})
