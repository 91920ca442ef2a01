import { expect } from 'chai'
import { failureOf, METHODS, options, slug, valuesOf, write } from '../../support/writing.ts'
import { type Row, useEvolving } from './evolving.ts'

describe('evolve: true', function () {
  this.timeout(60_000)
  const { db, makePool, columnsOf, open, writeAll, create } = useEvolving()

  for (const way of METHODS) {
    it(`adds columns with the types of the values, by ${way.title}`, async () => {
      const table = `types_${slug(way.title)}`
      await create(table)
      const at = new Date('2026-03-01T10:00:00.123Z')
      const { events } = await writeAll(
        table,
        [
          [
            { id: 1, n: 1, b: 2n ** 40n, ok: true, at, day: '2026-01-02', nested: { a: [1] } },
            {
              id: 2,
              n: 2.5,
              text: 'x',
              local: '2026-01-02 10:00',
              list: [{ a: 1 }],
              bytes: Buffer.from('ab'),
            },
            { id: 3, uuid: '6F9619FF-8B86-D011-B42D-00CF4FC964FF', mixed: 'x' },
            { id: 4, mixed: { a: 1 } },
          ],
        ],
        options(way),
      )
      expect(await columnsOf(table)).to.deep.equal({
        id: 'integer',
        n: 'numeric',
        b: 'bigint',
        ok: 'boolean',
        at: 'timestamp with time zone',
        day: 'date',
        nested: 'jsonb',
        text: 'text',
        local: 'timestamp without time zone',
        list: 'jsonb',
        bytes: 'bytea',
        uuid: 'uuid',
        mixed: 'text',
      })
      expect(
        await valuesOf(
          db.pool,
          `SELECT id, n::text, b::text, ok, at, nested, list, bytes::text, mixed FROM ${table} ORDER BY id`,
        ),
      ).to.deep.equal([
        [1, '1', '1099511627776', true, at, { a: [1] }, null, null, null],
        [2, '2.5', null, null, null, null, [{ a: 1 }], '\\x6162', null],
        [3, null, null, null, null, null, null, null, 'x'],
        [4, null, null, null, null, null, null, null, '{"a":1}'],
      ])
      expect(events).to.have.lengthOf(1)
      expect(events[0]!.added.map(({ name, type }) => `${name} ${type}`)).to.include('n numeric')
      expect(events[0]!.widened).to.deep.equal([])
      expect(events[0]!.sql).to.match(/^ALTER TABLE "public"\."\w+" ADD COLUMN IF NOT EXISTS "n" numeric, /)
    })
  }

  it('adds a column when a later batch brings the key, and upserts its values', async () => {
    await create('later', 'id int PRIMARY KEY')
    const { events } = await writeAll('later', [[{ id: 1 }], [{ id: 2, a: 1 }], [{ id: 1, a: 2, b: 'x' }]], {
      onConflict: { target: ['id'], action: 'update' },
    })
    expect(await valuesOf(db.pool, 'SELECT * FROM later ORDER BY id')).to.deep.equal([
      [1, 2, 'x'],
      [2, 1, null],
    ])
    expect(events.flatMap(({ added }) => added.map(({ name }) => name))).to.deep.equal(['a', 'b'])
  })

  it('adds no column for a key whose values are all null, and adds it once a value comes', async () => {
    await create('nulls')
    await writeAll('nulls', [
      [
        { id: 1, a: null, b: null },
        { id: 2, a: null, b: 5 },
        { id: 3, a: null, b: undefined },
      ],
    ])
    expect(await valuesOf(db.pool, 'SELECT * FROM nulls ORDER BY id')).to.deep.equal([
      [1, null],
      [2, 5],
      [3, null],
    ])
  })

  it('keeps a value whose key was null or undefined in the rows before', async () => {
    await create('after_null')
    await writeAll('after_null', [
      [
        { id: 1, a: null },
        { id: 2, a: 7 },
      ],
    ])
    expect(await valuesOf(db.pool, 'SELECT id, a FROM after_null ORDER BY id')).to.deep.equal([
      [1, null],
      [2, 7],
    ])
    await create('after_undefined')
    const { pool } = makePool()
    const rows = [
      { id: 1, a: undefined },
      { id: 2, a: 7 },
    ]
    const error = await failureOf(write([rows], { pool, table: 'after_undefined' }))
    expect(error.code).to.equal('ROW_INVALID')
    expect(error.column).to.equal('a')
  })

  it('takes odd names: reserved words, quotes, __proto__, constructor, 63 bytes', async () => {
    await create('odd')
    const names = ['select', 'a "b"; --', '__proto__', 'constructor', 'ä'.repeat(31), "it's", ' ', 'a.b']
    const row = JSON.parse(JSON.stringify({ id: 1 }))
    for (const name of names) Object.defineProperty(row, name, { value: name, enumerable: true })
    await writeAll('odd', [[row]])
    expect(Object.keys(await columnsOf('odd'))).to.have.members(['id', ...names])
    expect(await valuesOf(db.pool, 'SELECT * FROM odd')).to.deep.equal([[1, ...names]])
  })

  it('ignores what another library adds to the prototype of every object', async () => {
    await create('inherited')
    class Base {
      id = 1
      own = 'x'
    }
    Object.defineProperty(Base.prototype, 'method', { value: () => 1, enumerable: true })
    await writeAll('inherited', [[new Base() as unknown as Row]])
    expect(Object.keys(await columnsOf('inherited'))).to.deep.equal(['id', 'own'])
  })

  const REFUSED: readonly [what: string, key: string, reason: RegExp][] = [
    ['of more than 63 bytes', 'x'.repeat(64), /longer than 63 bytes/],
    ['that is empty', '', /a column needs a name/],
    ['of a system column', 'ctid', /system column/],
    ['that differs from a column only in case', 'ID', /differs from the column "id" only in case/],
    ['with NUL', 'a\0b', /has a character that no name has/],
  ]
  for (const [what, key, reason] of REFUSED) {
    it(`rejects a row with a key ${what}, and adds no column for its other keys`, async () => {
      await create('refused')
      const rows = [{ id: 1, fine: 1, [key]: 1 }, { id: 2 }]
      const { rejected } = await writeAll('refused', [rows], { rejectLimit: 1 })
      expect(rejected).to.have.lengthOf(1)
      expect(rejected[0]!.error.code).to.equal('ROW_INVALID')
      expect(rejected[0]!.error.reason).to.match(reason)
      expect(rejected[0]!.error.column).to.equal(key)
      expect(await columnsOf('refused')).to.deep.equal({ id: 'integer' })
      const failing = open('refused')
      failing.writable.end(rows)
      const error = await failureOf(failing.done)
      expect(error.outcome).to.equal('not-sent')
      expect(error.message).to.match(reason)
    })
  }

  it('does not add two columns that differ only in case', async () => {
    await create('cases')
    const { rejected } = await writeAll(
      'cases',
      [
        [
          { id: 1, Key: 1 },
          { id: 2, key: 2 },
        ],
      ],
      { rejectLimit: 1 },
    )
    expect(Object.keys(await columnsOf('cases'))).to.deep.equal(['id', 'Key'])
    expect(rejected.map(({ error }) => error.reason)).to.deep.equal([
      'The row has the key "key", which is not a column of "public"."cases" and cannot be added: ' +
        'it differs from the column "Key" only in case',
    ])
  })

  it('names two keys of a row that differ only in case', async () => {
    await create('alike')
    const rows = [{ id: 1, Key: 1, other: 2, key: 3 }, { id: 2 }]
    const { rejected } = await writeAll('alike', [rows], { rejectLimit: 1 })
    expect(rejected.map(({ error }) => [error.reason, error.column])).to.deep.equal([
      ['The row has the keys "Key" and "key", which differ only in case: they cannot both be columns', 'key'],
    ])
    expect(await columnsOf('alike')).to.deep.equal({ id: 'integer' })
  })

  it('adds no more columns than maxNewColumns, and rejects the rows that need more', async () => {
    await create('limited')
    const { rejected, events } = await writeAll(
      'limited',
      [
        [
          { id: 1, a: 1 },
          { id: 2, b: 1, c: 1 },
          { id: 3, b: 1 },
        ],
        [{ id: 4, d: 1 }],
        [{ id: 5, a: 2 }],
      ],
      { evolve: { maxNewColumns: 2 }, rejectLimit: 5 },
    )
    expect(Object.keys(await columnsOf('limited'))).to.deep.equal(['id', 'a', 'b'])
    expect(rejected.map(({ values }) => values.id)).to.deep.equal(['2', '4'])
    expect(rejected[0]!.error.reason).to.equal(
      'The row has the key "c", which is not a column of "public"."limited" and cannot be added: ' +
        '`evolve.maxNewColumns` allows 2 new columns',
    )
    expect(events).to.have.lengthOf(1)
  })
})
