import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('pg-batch load, of a table that is not written by rows,', () => {
  const database = useDatabase()
  const file = useFolder()
  const load = (path: string, input: string, ...words: string[]) =>
    run(['load', path, '-t', 'people', ...words], { DATABASE_URL: database.connectionString }, input)

  before(() => database.pool.query('CREATE TABLE people (id int, name text); CREATE TABLE list (place text)'))

  const numbered = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [at, at]))
  const many = Array.from({ length: 300_000 }, (_, at) => at)
  const layouts: [title: string, what: string, json: unknown, large?: unknown][] = [
    [
      'columns as to_json() of pandas writes them',
      'an object of columns, whose values are numbered',
      { id: { 0: 1, 1: 2 }, name: { 0: 'Ada', 1: null } },
      { id: numbered(10_000), name: numbered(100_000) },
    ],
    [
      'numbered rows',
      'an object of numbered rows',
      { 0: { id: 1 }, 1: { id: 2, name: 'Bo' } },
      Object.fromEntries(many.slice(0, 100_000).map(id => [id, { id }])),
    ],
    [
      'names and values apart',
      'an object of names and lists of values',
      { columns: ['id', 'name'], index: [0], data: [[1, 'Ada']] },
      { columns: ['id'], index: many.slice(0, 1000), data: many.map(id => [id]) },
    ],
    [
      'a list for each column',
      'an object with a list for each column',
      { id: [1, 2], name: ['Ada', null] },
      { id: many.slice(0, 1000), name: many },
    ],
  ]
  for (const [title, what, json, large] of layouts) {
    it(`fails for ${title}, and says what helps`, async () => {
      const lines = ', --format ndjson if each line is one'
      for (const [text, help, ...words] of [
        [JSON.stringify(json), lines, '--format', 'json'],
        [JSON.stringify(json, null, 1), ''],
        [JSON.stringify(large), lines],
        [JSON.stringify(large), lines, '--create', '-t', 'made'],
      ] as const) {
        const { status, stderr } = await load(await file('wide.json', text), '', ...words)
        expect(stderr).to.contain(`wide.json: it is ${what}`)
        expect(stderr).to.contain(
          '; write a list of objects, with to_json(orient="records") in pandas, ' +
            `or say --record-path . if the object itself is a row${help}\n`,
        )
        expect(status).to.equal(2)
      }
    })
  }

  it('takes rows that look like it: lines, rows with lists, and with --record-path', async () => {
    await database.pool.query('CREATE TABLE wide (id jsonb, name jsonb)')
    const [columns, lists] = ['{"id":{"0":1,"1":2}}', '{"id":[1,2],"name":[3,4]}']
    for (const [text, ...words] of [
      [`${columns}\n${columns}`],
      [`${lists}\n${lists}`],
      [columns],
      [lists],
      ['{"id":[1,2],"name":"Ada"}'],
      ['{"id":[1,2],"name":[3]}'],
      ['{"id":{"0":1},"name":null}'],
      [lists, '--record-path', '.'],
      [columns, '--record-path', '.'],
    ]) {
      const { status, stderr } = await load(await file('rows.json', text!), '', '-t', 'wide', ...words)
      expect(status, stderr).to.equal(0)
    }
  })

  it('takes a row that is too long to be seen, and begins with a list or with numbered values', async () => {
    await database.pool.query('CREATE TABLE long (a jsonb, "0" jsonb, id int, name text)')
    const long = 'x'.repeat(1_200_000)
    const rows = [
      { a: Array.from({ length: 60_000 }, (_, at) => Math.sin(at)), id: 0 },
      { a: numbered(2), id: 2, name: long },
      { a: [1, 2], id: 2, name: long },
      { 0: { a: long }, name: 'q' },
      { 0: numbered(100_000), name: 'q' },
    ]
    const numbers = { a: Array.from({ length: 9000 }, (_, at) => at), name: 'a' }
    const texts = [...rows.map(row => `${JSON.stringify(row)}\n{"id":1}\n`), JSON.stringify(numbers, null, 2)]
    for (const text of texts) {
      for (const path of ['-', await file('long.json', text)]) {
        const { status, stderr } = await load(path, text, '-t', 'long')
        expect(status, stderr).to.equal(0)
      }
    }
    const { rows: counts } = await database.pool.query('SELECT count(*)::int FROM long')
    expect(counts).to.deep.equal([{ count: 22 }])
  })

  it('fails for a list of lists, whose values have no names', async () => {
    const text = '[\n[1, "Ada"], [2, "Bo"]]'
    const path = await file("it's.json", text)
    const rejects = ['--rejects', join(dirname(path), 'rejects.ndjson')]
    for (const [from, word, ...words] of [
      ['-', ''],
      ['-', '', ...rejects],
      [path, ` '${path.replace("'", "'\\''")}'`],
    ] as const) {
      const { stderr } = await load(from, text, ...words)
      expect(stderr).to.equal(
        `pg-batch: ${from === '-' ? 'standard input' : path}: it is a list of lists, whose values have no names; ` +
          `as CSV: jq -r '.[] | @csv'${word} | pg-batch load - --no-header --table TABLE\n`,
      )
    }
  })

  it('keeps a list before objects with --rejects, and loads the objects', async () => {
    const path = await file('mixed.json', '[["id","a"],{"id":1},{"id":2}]')
    const { stderr } = await load(path, '', '--rejects', join(dirname(path), 'kept.ndjson'))
    expect(stderr).to.contain('1 row rejected')
    expect((await database.pool.query('SELECT id FROM people ORDER BY id')).rows).to.deep.equal([
      { id: 1 },
      { id: 2 },
    ])
  })

  it('fails for YAML, and names what converts it', async () => {
    for (const [name, text] of [
      ['a.yaml', '\ufeff---\npeople:\n  - id: 1\n'],
      ['b.txt', '# of today\n---\n- id: 1\n  name: Ada\n'],
      ['c.txt', '- id: 1\n  name: Ada\n- id: 2\n'],
      ['d.txt', '- id: 1\n- id: 2\n'],
      ['e.txt', '---\r\nid: 1\r\n'],
    ] as const) {
      const path = await file(name, text)
      const { status, stderr } = await load(path, '', '--create', '-t', 'made')
      expect(stderr).to.equal(
        `pg-batch: ${path}: it is a YAML document, which is not read here; convert it to JSON: ` +
          `yq -o json ${path} | pg-batch load - --format json --table TABLE; if it is a table after all: --format csv\n`,
      )
      expect(status).to.equal(2)
    }
    for (const [name, text, ...words] of [
      ['f.yaml', '[{"id":1}]'],
      ['g.yml', '\ufeff[{"id":1}]'],
      ['h.yml', 'id,name\n1,Ada\n'],
      ['i.csv', '- item one: text\n- item two: more\n', '-t', 'list', '--no-header'],
      ['j.csv.gz', '---\ntitle: report of: things\n', '-t', 'list', '--no-header'],
      ['k.tsv', '- item one: text\n- item two: more\n', '-t', 'list', '--no-header'],
    ] as const) {
      const { status, stderr } = await load(await file(name, text), '', ...words)
      expect(status, stderr).to.equal(0)
    }
    for (const text of ['name\n---\nAda\n', 'name\n- a: b\n', '---\nAda\nBo\n', '- id: 1\nAda\n']) {
      expect((await load('-', text, '-t', 'list')).stderr).not.to.contain('YAML')
    }
  })

  it('takes a column of texts that are all the same for one, whatever blanks they have', async () => {
    const { status, stderr } = await load('-', 'New  York\n'.repeat(6), '-t', 'list', '--no-header')
    expect(status, stderr).to.equal(0)
  })

  it('fails for a file whose lines are all skipped, or in its header', async () => {
    const path = await file('short.csv', 'a title\nid,name\n1,Ada\n')
    for (const [words, fault] of [
      [['--skip-lines', '4'], 'it has 3 lines, and --skip-lines skips 4'],
      [['--skip-lines', '4', '--create', '-t', 'made'], 'it has 3 lines, and --skip-lines skips 4'],
      [
        ['--skip-lines', '1', '--header-lines', '3'],
        'it has 2 lines for its header, and --header-lines names 3',
      ],
    ] as const) {
      const { status, stderr } = await load(path, '', ...words)
      expect(stderr).to.equal(`pg-batch: ${path}: ${fault}\n`)
      expect(status).to.equal(1)
    }
    const empty = await load(await file('empty.csv', ''), '', '--skip-lines', '4')
    expect(empty.status, empty.stderr).to.equal(0)
  })

  it('fails for --columns with the names that --map takes to columns', async () => {
    const { stderr } = await load('-', 'key,who,age\n1,Ada,2\n', '--columns', 'key,name', '--map', 'key=id')
    expect(stderr).to.equal(
      'pg-batch: --columns names columns of people, and "key" is a name in the file, ' +
        'which --map takes to "id"; say --columns id,name\n',
    )
  })
})
