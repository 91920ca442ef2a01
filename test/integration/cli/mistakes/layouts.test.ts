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
      { id: numbered(100_000), name: numbered(100_000) },
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
      { columns: ['id'], index: many, data: many.map(id => [id]) },
    ],
    [
      'a list for each column',
      'an object with a list for each column',
      { id: [1, 2], name: ['Ada', null] },
      { id: many },
    ],
  ]
  for (const [title, what, json, large] of layouts) {
    it(`fails for ${title}, and says what helps`, async () => {
      for (const text of [JSON.stringify(json), JSON.stringify(json, null, 1), JSON.stringify(large)]) {
        for (const words of [[], ['--create', '-t', 'made']]) {
          const { status, stderr } = await load(await file('wide.json', text), '', ...words)
          expect(stderr).to.contain(`wide.json: it is ${what}`)
          expect(stderr).to.match(
            /write a list of objects, with to_json\(orient="records"\) in pandas, or say --record-path \. if/,
          )
          expect(status).to.equal(2)
        }
      }
    })
  }

  it('takes rows that look like it: lines, rows with lists, and with --record-path', async () => {
    await database.pool.query('CREATE TABLE wide (id jsonb, name jsonb)')
    const [columns, lists] = ['{"id":{"0":1,"1":2}}', '{"id":[1,2],"name":[3,4]}']
    for (const [text, ...words] of [
      [`${columns}\n${columns}`],
      [`${lists}\n${lists}`],
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

  it('fails for a list of lists, whose values have no names', async () => {
    const { stderr } = await load('-', '[\n[1, "Ada"], [2, "Bo"]]')
    expect(stderr).to.equal(
      'pg-batch: standard input: it is a list of lists, whose values have no names; as CSV: ' +
        "jq -r '.[] | @csv' FILE | pg-batch load - --no-header --table TABLE\n",
    )
  })

  it('fails for YAML, and names what converts it', async () => {
    for (const [name, text] of [
      ['a.yaml', 'people:\n  - id: 1\n'],
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
    const json = await load(await file('f.yaml', '[{"id":1}]'), '')
    expect(json.status, json.stderr).to.equal(0)
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
