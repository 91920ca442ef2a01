import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('pg-batch names the file, the row and the line of a bad value', () => {
  const database = useDatabase()
  const file = useFolder()
  const load = (...words: string[]) => run(['load', ...words], { DATABASE_URL: database.connectionString })

  before(() => database.pool.query('CREATE TABLE prices (id int, price numeric)'))

  const GOOD = '{"id":1,"price":10.50}'
  const BAD = '{"id":2,"price":"x"}'
  const pretty = (json: string) => JSON.stringify(JSON.parse(json), null, 2)
  const found: [title: string, name: string, text: string, line: number, ...words: string[]][] = [
    ['lines of NDJSON, some of them blank', 'f.ndjson', `${GOOD}\n\n \t\n${BAD}\n`, 4],
    ['a line with keys in another order', 'f.ndjson', `${GOOD}\n\n{"price":"x","id":2}\n`, 3],
    ['pretty-printed objects', 'f.json', `${pretty(GOOD)}\n${pretty(BAD)}\n`, 5],
    ['a list', 'f.json', `[\n${GOOD},\n\n${BAD}\n]`, 4],
    ['an envelope', 'f.json', `{"data":[\n${GOOD},\n${BAD}]}`, 3, '--record-path', 'data'],
    ['text of COPY', 'f.txt', '1\t10.50\\\n\n2\tx\n', 3, '-f', 'text', '--columns', 'id,price'],
  ]
  for (const [title, name, text, line, ...words] of found) {
    it(`in ${title}`, async () => {
      const { stderr } = await load(await file(name, text), '-t', 'prices', ...words)
      expect(stderr).to.include(`${name}: row 2 (line ${line}): not a valid numeric for "price" (22P02)`)
    })
  }

  it('in the second of two files', async () => {
    const files = [await file('1.json', `[${GOOD},\n${GOOD}]`), await file('2.ndjson', `\n${BAD}\n`)]
    const { stderr } = await load(...files, '-t', 'prices')
    expect(stderr).to.include('2.ndjson: row 1 (line 2): not a valid numeric for "price" (22P02)')
  })

  it('that does not fit an inferred type', async () => {
    const rows = Array.from({ length: 1200 }, (_, index) => `{"n":${index}}\n\n`)
    const path = await file('new.ndjson', `${rows.join('')}{"n":"x"}`)
    const { stderr } = await load(path, '-t', 'inferred', '--create')
    expect(stderr).to.include('new.ndjson: row 1,201 (line 2401): the value of "n" is not integer')
  })
})
