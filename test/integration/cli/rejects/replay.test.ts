import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { usePeople } from './people.ts'

describe('the file of pg-batch load --rejects', () => {
  const { database, file, pgBatch, fresh, linesOf, inOrder, stored } = usePeople()

  it('is loaded by replay after a correction, with and without its wrapper, with JSON as it was', async () => {
    const rejects = await fresh()
    const input = [
      '{"id":1,"age":"x","doc":{"n":12345678901234567890}}',
      '{"id":2,"age":-1,"doc":"text"}',
      '{"id":3,"age":3,"nick":"no column"}',
    ]
    const path = await file('people.ndjson', input.join('\n'))
    expect((await pgBatch('load', path, '-t', 'people', '--rejects', rejects)).status).to.equal(0)
    const [first, second, third] = await inOrder(rejects)
    expect([first!.sqlstate, second!.sqlstate, third!.code]).to.deep.equal(['22P02', '23514', 'ROW_INVALID'])

    const again = `${rejects}.again`
    const untouched = await pgBatch('replay', rejects, '--table', 'people', '--rejects', again)
    expect(untouched.stdout).to.match(/^people: 0 rows committed in 1 batch, 3 rejected/)
    // each line of the second file names its line in the first
    expect((await inOrder(again)).map(line => line.row)).to.deep.equal(
      (await linesOf(rejects)).map(line => line.row),
    )

    const text = (await readFile(rejects, 'utf8'))
      .replace('"age":"x"', '"age":10')
      .replace('"age":"-1"', '"age":20')
      .replace(',"nick":"no column"', '')
    const repaired = text.trimEnd().split('\n')
    repaired[1] = JSON.stringify(JSON.parse(repaired[1]!).row)
    await writeFile(rejects, repaired.join('\n'))
    const replayed = await pgBatch('replay', rejects, '--table', 'people')
    expect(replayed.stderr).to.equal('')
    expect(replayed.stdout).to.match(/^people: 3 rows committed/)
    const { rows: loaded } = await database.pool.query('SELECT id, age, doc::text FROM people ORDER BY id')
    expect(loaded).to.deep.equal([
      { id: 1, age: 10, doc: '{"n": 12345678901234567890}' },
      { id: 2, age: 20, doc: '"text"' },
      { id: 3, age: 3, doc: null },
    ])
  })

  it('is loaded by load as well, and refused if a value had no text and was not replaced', async () => {
    const letter = { batch_id: 1, row_index: 0, code: 'REFUSED' }
    const lines = [
      { ...letter, row: { id: '1', doc: '{"n": 1.50}' } },
      { ...letter, row: { id: '2', doc: { pg_batch_no_text: '<ref *1> { self: [Circular *1] }' } } },
      { ...letter, row: { id: '3', doc: { by: 'hand' } } },
      { ...letter, row: { id: '5', pg_batch_operation: 'delete' } },
      { id: 4, doc: 'a string of plain NDJSON' },
    ]
    const path = await file('letters.ndjson', lines.map(line => JSON.stringify(line)).join('\n'))
    const failed = await pgBatch('load', path, '-t', 'people')
    expect(failed.stderr).to.contain('row 2').and.to.contain('"doc"').and.to.contain('had no text')
    expect(failed).to.include({ status: 1, stdout: '' })
    for (const words of [['load'], ['replay']]) {
      await database.pool.query('TRUNCATE people')
      const ended = await pgBatch(...words, path, '-t', 'people', '--reject-limit', '3')
      expect(ended.status, ended.stderr).to.equal(0)
      expect((await stored()).slice(0, 2)).to.deep.equal([
        { id: 1, age: null, doc: { n: 1.5 } },
        { id: 3, age: null, doc: { by: 'hand' } },
      ])
    }
  })

  it('is loaded as it is into a table that has a column for each of its keys', async () => {
    await database.pool.query('CREATE TABLE letters (batch_id int, row_index int, code text, "row" jsonb)')
    const path = await file(
      'taken.ndjson',
      '{"batch_id":1,"row_index":0,"code":"REFUSED","row":{"id":"1"}}\n',
    )
    const ended = await pgBatch('load', path, '-t', 'letters')
    expect(ended.status, ended.stderr).to.equal(0)
    const { rows } = await database.pool.query('SELECT "row" FROM letters')
    expect(rows).to.deep.equal([{ row: { id: '1' } }])
  })

  it('refuses to append to the file that it replays', async () => {
    const path = await file('again.ndjson', '{"id":1}\n')
    const ended = await pgBatch('replay', path, '-t', 'people', '--rejects', path)
    expect(ended.stderr).to.equal('pg-batch: --rejects names the file that is read; name another one\n')
    expect(ended.status).to.equal(2)
  })
})
