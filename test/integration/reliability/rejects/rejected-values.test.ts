import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import type { RejectedRow } from '../../../../lib/write/rejects/dead-letter.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { rowsOf, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

type Row = Record<string, unknown>

describe('the values of a rejected row', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  const zone = process.env.TZ

  beforeEach(() =>
    db.pool.query(`
      DROP TABLE IF EXISTS t, bad;
      CREATE TABLE t (id int PRIMARY KEY, day date, at timestamptz, raw bytea, doc jsonb, tags text[], span int4range,
        label text DEFAULT 'none', ok bool NOT NULL CHECK (ok))`),
  )
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })

  const reject = async (row: unknown, extra: object = {}): Promise<RejectedRow<Row>> => {
    const options = {
      pool: makePool().pool,
      table: 't',
      rejectLimit: 10,
      deadLetter: { table: 'bad' },
      ...extra,
    }
    const rejected = await load([[row as Row]], new PgBatchWritable<Row>(options))
    expect(rejected).to.have.length(1)
    return rejected[0]!
  }
  const stored = async (): Promise<unknown> => (await valuesOf(db.pool, 'SELECT "row" FROM bad'))[0]![0]

  for (const method of ['copy', 'insert'] as const) {
    it(`are what would have been sent, and are what the dead letter holds: ${method}`, async () => {
      process.env.TZ = 'Asia/Tokyo'
      const day = new Date(2024, 5, 1)
      const row = {
        id: 1n,
        day,
        at: day,
        raw: Buffer.from('a\0b'),
        doc: { a: [1, null] },
        tags: ['x', null, 'null'],
        span: null,
        label: undefined,
        ok: false,
      }
      const { values, withoutText } = await reject(row, { method })
      expect(values).to.deep.equal({
        id: '1',
        day: '2024-06-01T00:00:00.000+09:00',
        at: '2024-05-31T15:00:00.000Z',
        raw: '\\x610062',
        doc: '{"a":[1,null]}',
        tags: '{"x",NULL,"null"}',
        span: null,
        ok: 'false',
      })
      expect(withoutText).to.deep.equal({})
      expect(await stored()).to.deep.equal(values)
    })
  }

  it('come from getters and prototypes, Sets, objects with toPostgres, and the null that is a text', async () => {
    class Base {
      get id() {
        return 1
      }
    }
    class Person extends Base {
      ok = false
      doc = new Set([1])
      label = { toPostgres: () => 'said' }
      get day() {
        return new Date(Number.NaN)
      }
    }
    const { values } = await reject(new Person())
    // as `pg` sends it, which is JSON.stringify's; some libraries give a Set a toJSON
    const doc = JSON.stringify(new Set([1]))
    expect(values).to.include({ id: '1', ok: 'false', doc, label: 'said' })
    expect(values.day).to.match(/NaN/)
    expect((await reject({ id: 2, label: 'null', doc: null, ok: false })).values).to.deep.equal({
      id: '2',
      label: 'null',
      doc: null,
      ok: 'false',
    })
  })

  it('name a column whose value has no text, and keep all others', async () => {
    const circular: Row = {}
    circular.self = circular
    const row = {
      id: 1,
      doc: circular,
      span: Buffer.of(1, 2),
      get label() {
        throw new Error('no label')
      },
      ok: false,
    }
    const { values, withoutText, error } = await reject(row)
    expect(error.code).to.be.oneOf(['VALUE_NOT_ENCODABLE', 'ROW_INVALID'])
    expect(values).to.deep.equal({ id: '1', ok: 'false' })
    expect(Object.keys(withoutText).sort()).to.deep.equal(['doc', 'label', 'span'])
    expect(withoutText.span).to.equal('\\x0102')
    expect(withoutText.doc).to.contain('Circular')
    expect(await stored()).to.deep.equal({
      ...values,
      ...Object.fromEntries(
        Object.entries(withoutText).map(([name, shown]) => [name, { pg_batch_no_text: shown }]),
      ),
    })
  })

  it("hold the server's text for bytes, and show the bytes that it refuses", async () => {
    await db.pool.query(`
      CREATE DOMAIN few AS bit(3) CHECK (VALUE <> B'000');
      ALTER TABLE t ADD spot point, ADD flags bit(3), ADD few few, ADD small int2, ADD list int[], ADD code "char"`)
    const bytes = {
      id: Buffer.from('00000007', 'hex'),
      spot: Buffer.from('3ff8000000000000c000000000000000', 'hex'),
      flags: Buffer.from('00000003a0', 'hex'),
      few: Buffer.from('0000000360', 'hex'),
      small: Buffer.of(1),
      list: Buffer.from('0000000100000000000000170000000100000001000000040000000b', 'hex'),
      code: Buffer.from('x'),
      ok: Buffer.of(0),
    }
    for (const method of ['copy', 'insert', 'auto']) {
      const { values, withoutText } = await reject(bytes, { method })
      expect(values, method).to.deep.equal({
        id: '7',
        spot: '(1.5,-2)',
        flags: '101',
        few: '011',
        list: '{11}',
        code: 'x',
        ok: 'false',
      })
      expect(withoutText).to.deep.equal({ small: '\\x01' })
    }
    await db.pool.query('ALTER TABLE t DROP COLUMN few; DROP DOMAIN few')
  })

  it('need few queries, however many rows have bytes, and some that no type takes', async () => {
    await db.pool.query('ALTER TABLE t ADD spot point')
    const spot = Buffer.from('3ff8000000000000c000000000000000', 'hex')
    const rows = rowsOf(1200, id => ({ id, spot: id % 400 === 7 ? Buffer.of(1) : spot, ok: false }))
    const pool = makePool().pool
    let questions = 0
    pool.on('connect', client => {
      const { query } = client
      client.query = function (this: unknown, ...args: unknown[]) {
        if (JSON.stringify(args[0]).includes('AS t0')) questions++
        return Reflect.apply(query, this, args)
      } as typeof client.query
    })
    const sink = new PgBatchWritable<Row>({ pool, table: 't', rejectLimit: 2000, method: 'copy' })
    const rejected = await load([rows], sink)
    expect(rejected).to.have.length(1200)
    expect(rejected.filter(({ values }) => values.spot === '(1.5,-2)')).to.have.length(1197)
    expect(rejected.filter(({ withoutText }) => withoutText.spot === '\\x01')).to.have.length(3)
    expect(questions).to.be.within(4, 80)
  })

  it('include a key that is not a column, which may be the reason, but not one that is ignored', async () => {
    expect((await reject({ id: 1, labl: 7, ok: true })).values).to.deep.equal({
      id: '1',
      labl: '7',
      ok: 'true',
    })
    const ignored = await reject({ id: 1, labl: 7, ok: false }, { unknownKeys: 'ignore' })
    expect(ignored.values).to.deep.equal({ id: '1', ok: 'false' })
    const some = await reject(
      { id: 1, label: 'x', ok: false },
      { unknownKeys: 'ignore', columns: ['id', 'ok'] },
    )
    expect(some.values).to.deep.equal({ id: '1', ok: 'false' })
  })

  it('are those of the row that toRow made, whatever was wrong with it', async () => {
    const toRow = (row: Row) => ({ ...row, made: 'here' })
    const unknown = await reject({ id: 1, ok: true }, { toRow })
    expect(unknown.row).to.deep.equal({ id: 1, ok: true, made: 'here' })
    expect(unknown.values).to.deep.equal({ id: '1', ok: 'true', made: 'here' })
    const operation = () => {
      throw new Error('neither')
    }
    const onConflict = { target: ['id'], action: 'update' }
    const undecided = await reject(
      { id: 1, ok: true },
      { operation, onConflict, toRow: (row: Row) => ({ ...row }) },
    )
    expect(undecided.values).to.deep.equal({ id: '1', ok: 'true' })
  })

  it('are marked where the row was to be deleted, so that it is not written by mistake', async () => {
    const operation = () => 'delete'
    const onConflict = { target: ['id'], action: 'update' }
    await db.pool.query(`
      CREATE TABLE child (id int REFERENCES t); INSERT INTO t (id, ok) VALUES (1, true); INSERT INTO child VALUES (1)`)
    const kept = await reject({ id: 1 }, { operation, onConflict })
    expect(kept).to.include({ operation: 'delete' })
    expect(kept.error.sqlState).to.equal('23503')
    expect(await stored()).to.deep.equal({ id: '1', pg_batch_operation: 'delete' })
    const lacking = await reject({ id: null, label: 'x' }, { operation, onConflict })
    expect(lacking).to.include({ operation: 'delete' })
    expect(lacking.values).to.deep.equal({ id: null, label: 'x' })
    expect((await reject({ id: 1, ok: false })).operation).to.equal(undefined)
    await db.pool.query('DROP TABLE child')
  })

  it('are empty where there is no row: the dead letter holds the item', async () => {
    const toRow = () => {
      throw new Error('no row')
    }
    const { values, row, item } = await reject({ id: 1, seen: new Set(['a']) }, { toRow })
    expect(values).to.deep.equal({})
    expect(row).to.equal(item)
    expect(await stored()).to.deep.equal({ id: 1, seen: ['a'] })
    for (const odd of [new Map([['id', 1]]), [1], 'text', null])
      expect((await reject(odd)).values).to.deep.equal({})
  })

  for (const [title, row] of [
    [
      'a getter under a key that is not a column',
      {
        id: 1,
        get other() {
          throw new Error('secret')
        },
      },
    ],
    [
      'a proxy that does not list its keys',
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('secret')
          },
        },
      ),
    ],
  ] as const) {
    it(`that throws rejects the row and does not fail the stream: ${title}`, async () => {
      const { error } = await reject(row)
      expect(error).to.include({ code: 'ROW_INVALID' })
      expect(error.message).not.to.contain('secret')
    })
  }

  it('hold U+FFFD for half of a character, as it is sent, and NUL as it is', async () => {
    const { values } = await reject({ id: 1, label: 'cut \ud83d', doc: 'a\0b', ok: false })
    expect(values).to.include({ label: 'cut \ufffd', doc: 'a\0b' })
    expect(((await stored()) as Row).doc).to.equal('a\0b')
  })

  it('hold a column that is called __proto__', async () => {
    await db.pool.query('ALTER TABLE t ADD COLUMN "__proto__" text')
    const row = JSON.parse('{"id":1,"__proto__":"x","ok":false}')
    const { values } = await reject(row)
    expect(Object.entries(values)).to.deep.include(['__proto__', 'x'])
    expect(await valuesOf(db.pool, `SELECT "row"->>'__proto__' FROM bad`)).to.deep.equal([['x']])
  })

  it('are not published to monitoring', async () => {
    const messages: unknown[] = []
    const listen = (message: unknown) => void messages.push(message)
    subscribe('pg-batch-streams:reject', listen)
    try {
      await reject({ id: 1, label: 'secret', ok: false })
    } finally {
      unsubscribe('pg-batch-streams:reject', listen)
    }
    expect(messages).to.have.length(1)
    expect(messages[0]).to.not.have.any.keys('row', 'item', 'values', 'withoutText')
  })
})
