import { expect } from 'chai'
import { expectOneLine, useOrders } from './orders.ts'

describe('pg-batch load, of rows that are in the table', () => {
  const { database, load, stored } = useOrders()

  beforeEach(() => database.pool.query("INSERT INTO orders (id, note, total) VALUES (1, 'old', 5)"))

  it('updates them with --on-conflict; the last row wins', async () => {
    const { status } = await load(['-', '-t', 'orders', '--on-conflict', 'id'], 'id,note\n1,a\n2,b\n1,c\n')
    expect(status).to.equal(0)
    expect(await stored('id, note, total::text')).to.deep.equal([
      ['1', 'c', '5'],
      ['2', 'b', null],
    ])
  })

  it('updates only older ones with --newer-by, and inserts none with --update-only', async () => {
    const upsert = ['-', '-t', 'orders', '--on-conflict', 'id', '--newer-by', 'total']
    expect((await load(upsert, 'id,note,total\n1,late,4\n2,b,1\n')).status).to.equal(0)
    const patch = [...upsert, '--update-only', '--only-if-changed', '--concurrency', '2']
    expect((await load(patch, 'id,note,total\n2,c,3\n3,d,9\n2,late,2\n')).status).to.equal(0)
    expect(await stored('id, note, total::text')).to.deep.equal([
      ['1', 'old', '5'],
      ['2', 'c', '3'],
    ])
  })

  it('finds them by the name of a constraint, or of an index of an expression', async () => {
    await database.pool.query(`CREATE UNIQUE INDEX by_note ON orders (lower(note)) WHERE total > 0;
      ALTER TABLE orders RENAME CONSTRAINT orders_pkey TO "by: id, only"`)
    const upsert = async (target: string, text: string) =>
      (await load(['-', '-t', 'orders', '--on-conflict', target], text)).status
    expect(await upsert('index:by_note', 'id,note,total\n1,OLD,6\n2,b,3\n')).to.equal(0)
    expect(await upsert('constraint:by: id, only', 'id,total\n2,4\n')).to.equal(0)
    expect(await stored('id, note, total::text')).to.deep.equal([
      ['1', 'OLD', '6'],
      ['2', 'b', '4'],
    ])
  })

  it('keeps them with --on-conflict-do nothing', async () => {
    const { status } = await load(['-', '-t', 'orders', '--on-conflict-do', 'nothing'], 'id,note\n1,a\n2,b\n')
    expect(status).to.equal(0)
    expect(await stored('id, note')).to.deep.equal([
      ['1', 'old'],
      ['2', 'b'],
    ])
  })

  it('names the constraint without it, and reports that nothing was committed', async () => {
    const { status, stderr } = await load(['-', '-t', 'orders'], 'id,note\n7,x\n1,secret\n')
    expect(status).to.equal(1)
    expect(stderr)
      .to.match(/^pg-batch: .*orders_pkey.* nothing committed\n$/)
      .and.not.contain('secret')
    expect(await stored('id')).to.deep.equal([['1']])
  })

  it('reports that the columns are not a unique key', async () => {
    const { status, stderr } = await load(['-', '-t', 'orders', '--on-conflict', 'note'], 'id,note\n1,a\n')
    expect(status).to.equal(1)
    expectOneLine(stderr)
    expect(stderr).to.contain('note')
  })
})
