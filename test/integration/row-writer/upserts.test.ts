import { expect } from 'chai'
import { useSingleRows } from './single-rows.ts'

describe('PgRowWriter, each row', () => {
  const tests = useSingleRows()
  const { query, writeAll, stored } = tests

  const TABLES = {
    table: 'CREATE TABLE t (id int PRIMARY KEY, v text, w text)',
    'partitioned table': `CREATE TABLE t (id int PRIMARY KEY, v text, w text) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (5); CREATE TABLE t2 PARTITION OF t DEFAULT`,
    view: `CREATE TABLE base (id int PRIMARY KEY, v text, w text);
      CREATE VIEW t AS SELECT id, v, w FROM base`,
  }
  for (const [kind, create] of Object.entries(TABLES)) {
    it(`reports whether it was inserted or updated by an upsert into a ${kind}`, async () => {
      await query(`${create}; INSERT INTO t VALUES (1, 'old', 'w'), (9, 'old', 'w')`)
      const rows = [
        { id: 1, v: 'new' },
        { id: 2, v: 'two' },
        { id: 2, v: 'again' },
        { id: 9, v: 'nine' },
        { id: 3 },
        { id: 1 },
        { id: 8, v: 'eight', w: 'x' },
        { id: 8, w: 'y' },
      ]
      const onConflict = { target: ['id'], action: 'update' } as const
      const settled = await writeAll(rows, { onConflict, returning: ['id', 'v', 'w'] })
      expect(settled).to.deep.equal([
        { action: 'updated', row: { id: 1, v: 'new', w: 'w' } },
        { action: 'inserted', row: { id: 2, v: 'two', w: null } },
        { action: 'updated', row: { id: 2, v: 'again', w: null } },
        { action: 'updated', row: { id: 9, v: 'nine', w: 'w' } },
        { action: 'inserted', row: { id: 3, v: null, w: null } },
        { action: 'unchanged' },
        { action: 'inserted', row: { id: 8, v: 'eight', w: 'x' } },
        { action: 'updated', row: { id: 8, v: 'eight', w: 'y' } },
      ])
      const again = await writeAll(rows, { onConflict })
      expect(again.map(each => ('action' in each ? each.action : each.code))).to.deep.equal([
        ...['updated', 'updated', 'updated', 'updated', 'unchanged', 'unchanged', 'updated', 'updated'],
      ])
    })
  }

  for (const partitioned of [false, true]) {
    const kind = partitioned ? 'a partitioned table' : 'a table'
    it(`is inserted by one of two writers who race for its key, and updated by the other, in ${kind}`, async () => {
      await query(
        'CREATE TABLE t (id int PRIMARY KEY, v int)'.concat(partitioned ? ' PARTITION BY HASH (id)' : ''),
      )
      if (partitioned) {
        await query('CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0)')
        await query('CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)')
      }
      const options = { onConflict: { target: ['id'], action: 'update' }, maxCount: 10 } as const
      const rows = Array.from({ length: 2000 }, (_, id) => ({ id, v: 1 }))
      const both = await Promise.all([
        writeAll(rows, options),
        writeAll(rows, { ...options, returning: ['id'] }),
      ])
      for (const { id } of rows) {
        const actions = both.map(settled => 'action' in settled[id]! && settled[id].action)
        expect(actions.sort(), `${id}`).to.deep.equal(['inserted', 'updated'])
      }
    })
  }

  it('is deleted, or unchanged where its key is not there', async () => {
    await query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'one')")
    const rows = [
      { id: 1, gone: true },
      { id: 1, gone: true },
      { id: 1, v: 'back', gone: false },
      { id: 2, v: 'two', gone: false },
      { id: 2, gone: true },
    ]
    const settled = await writeAll(rows, {
      columns: ['id', 'v'],
      unknownKeys: 'ignore',
      onConflict: { target: ['id'], action: 'update' },
      operation: row => (row.gone ? 'delete' : 'upsert'),
      returning: ['v'],
    })
    expect(settled).to.deep.equal([
      { action: 'deleted', row: { v: 'one' } },
      { action: 'unchanged' },
      { action: 'inserted', row: { v: 'back' } },
      { action: 'inserted', row: { v: 'two' } },
      { action: 'deleted', row: { v: 'two' } },
    ])
    expect(await stored()).to.deep.equal([{ id: 1, v: 'back' }])
  })

  it('is unchanged where a condition does not hold, or its key is not there in update-only', async () => {
    await query('CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL, at int, note text NOT NULL)')
    await query("INSERT INTO t VALUES (1, 1, 5, 'one'), (2, 2, NULL, 'two')")
    const options = {
      onConflict: {
        target: ['id'],
        action: 'update',
        mode: 'update-only',
        newerBy: 'at',
        onlyIfChanged: true,
      },
      returning: ['v', 'note'],
    } as const
    const rows = [
      { id: 1, v: 10, at: 4 },
      { id: 1, v: 11, at: 6 },
      { id: 2, v: 12, at: 1 },
      { id: 3, v: 13, at: 9 },
    ]
    expect(await writeAll(rows, options)).to.deep.equal([
      { action: 'unchanged' },
      { action: 'updated', row: { v: 11, note: 'one' } },
      { action: 'updated', row: { v: 12, note: 'two' } },
      { action: 'unchanged' },
    ])
    const { mode: _, ...upsert } = options.onConflict
    const more = [
      { id: 1, v: 11, at: 7, note: 'new' },
      { id: 1, v: 11, at: 7, note: 'again' },
      { id: 3, v: 13, at: 1, note: 'three' },
    ]
    expect(await writeAll(more, { ...options, onConflict: upsert })).to.deep.equal([
      { action: 'updated', row: { v: 11, note: 'new' } },
      { action: 'unchanged' },
      { action: 'inserted', row: { v: 13, note: 'three' } },
    ])
  })

  const SPECIAL_INDEXES = {
    'of an expression': 'CREATE UNIQUE INDEX the_key ON t (lower(name))',
    partial: 'CREATE UNIQUE INDEX the_key ON t (name) WHERE NOT ended',
    'of a generated column': 'CREATE UNIQUE INDEX the_key ON t (folded)',
  }
  for (const [kind, create] of Object.entries(SPECIAL_INDEXES)) {
    it(`is updated in update-only by an index that is ${kind}, or unchanged`, async () => {
      await query(`CREATE TABLE t (id serial PRIMARY KEY, name text, ended boolean DEFAULT false, hits int,
          folded text GENERATED ALWAYS AS (lower(name)) STORED);
        ${create}; INSERT INTO t (name, ended, hits) VALUES ('a', false, 1), ('b', true, 1)`)
      const onConflict = {
        target: { index: 'the_key' },
        action: 'update',
        mode: 'update-only',
        update: { hits: 'stored.hits + excluded.hits', name: 'excluded.name || stored.id' },
        where: 'excluded.hits > 0 -- and nothing else',
      } as const
      const hits = (name: string, hits: number) => ({ name, hits })
      const rows = [hits('a', 5), hits('none', 1), hits('a1', 0), hits('a1', 7), hits('b', 1)]
      const isUpdated = kind !== 'partial'
      expect(await writeAll(rows, { onConflict, returning: ['hits', 'name'] })).to.deep.equal([
        { action: 'updated', row: { hits: 6, name: 'a1' } },
        { action: 'unchanged' },
        { action: 'unchanged' },
        { action: 'updated', row: { hits: 13, name: 'a11' } },
        isUpdated ? { action: 'updated', row: { hits: 2, name: 'b2' } } : { action: 'unchanged' },
      ])
    })
  }

  it('is unchanged where its key is there, with action nothing', async () => {
    await query('CREATE TABLE t (id int PRIMARY KEY, v int)')
    const rows = [
      { id: 1, v: 1 },
      { id: 1, v: 2 },
      { id: 2, v: 3 },
    ]
    const settled = await writeAll(rows, { onConflict: { action: 'nothing' }, returning: ['v'] })
    expect(settled).to.deep.equal([
      { action: 'inserted', row: { v: 1 } },
      { action: 'unchanged' },
      { action: 'inserted', row: { v: 3 } },
    ])
  })

  it('is updated or inserted by the same upsert, with a bad row among the others', async () => {
    await query(
      'CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v >= 0)); INSERT INTO t VALUES (1, 0), (7, 0)',
    )
    const rows = Array.from({ length: 12 }, (_, id) => ({ id, v: id % 5 === 4 ? -1 : id }))
    const settled = await writeAll(rows, {
      onConflict: { target: ['id'], action: 'update' },
      returning: ['id'],
    })
    const expected = rows.map(({ id, v }) =>
      v < 0 ? '23514' : id === 1 || id === 7 ? 'updated' : 'inserted',
    )
    expect(settled.map(each => ('code' in each ? each.sqlState : each.action))).to.deep.equal(expected)
    for (const [id, each] of settled.entries()) if ('row' in each) expect(each.row).to.deep.equal({ id })
  })
})
