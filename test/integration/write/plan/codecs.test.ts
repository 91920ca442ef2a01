import { expect } from 'chai'
import { PgRowWriter } from '../../../../lib/row-writer/pg-row-writer.ts'
import type { Codec } from '../../../../lib/types.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { failureOf, METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'
import { load } from '../../reliability/load.ts'

interface Point {
  x: number
  y: number
}

/** How often each form was asked for. */
const calls = { text: 0, binary: 0 }

const point: Codec<Point> = {
  text({ x, y }) {
    calls.text++
    return `(${x},${y})`
  },
  binary({ x, y }) {
    calls.binary++
    if (!Number.isInteger(x)) return undefined
    const bytes = Buffer.alloc(16)
    bytes.writeDoubleBE(x)
    bytes.writeDoubleBE(y, 8)
    return bytes
  },
}
const codecs: Record<string, Codec> = { 'pg_catalog.point': point }

const ROW = { at: { x: 1, y: 2 }, route: [{ x: 1, y: 2 }, null, { x: 3, y: 4 }], home: { x: 5, y: 6 } }
const STORED = ['(1,2)', '{"(1,2)",NULL,"(3,4)"}', '(5,6)']
const TEXTS = 'SELECT at::text, route::text, home::text FROM places ORDER BY id'

/** A codec whose text is wrong for a row, or whose binary form is. */
const faulty = (fault: unknown): Codec<unknown> => {
  const result = (value: unknown): unknown => {
    if (value !== 'bad') return undefined
    if (fault instanceof Error) throw fault
    return fault
  }
  return {
    text: value => (result(value) ?? `(${value},0)`) as string,
    binary: value => result(value) as Uint8Array,
  }
}

describe('codecs of the caller', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(() => db.pool.query('CREATE DOMAIN address AS point CHECK (VALUE[0] > 0)'))
  beforeEach(async () => {
    calls.text = 0
    calls.binary = 0
    await db.pool.query(`DROP TABLE IF EXISTS places;
      CREATE TABLE places (id int PRIMARY KEY, at point, route point[], home address)`)
  })

  for (const way of METHODS) {
    it(`are for values, arrays and domains of their type, by ${way.title}`, async () => {
      const rows = rowsOf(3, id => ({ id, ...ROW }))
      await write([rows], { pool: makePool().pool, table: 'places', codecs, ...options(way) })
      expect(await valuesOf(db.pool, TEXTS)).to.deep.equal(Array(3).fill(STORED))
      const isBinary = way.title === 'binary COPY' || way.title === 'method auto'
      expect(calls.text > 0).to.equal(!isBinary)
      expect(calls.binary > 0).to.equal(isBinary)
    })

    for (const fault of [new Error('no such place'), 5, Promise.resolve('x')]) {
      it(`reject the row for which they fail: ${fault}, by ${way.title}`, async () => {
        const writable = new PgBatchWritable<{ id: number; at: string }>({
          pool: makePool().pool,
          table: 'places',
          codecs: { 'pg_catalog.point': faulty(fault) },
          rejectLimit: 1,
          ...options(way.title === 'binary COPY' ? { ...way, copyFormat: 'auto' as never } : way),
        })
        const rejected = await load([rowsOf(9, id => ({ id, at: id === 4 ? 'bad' : String(id) }))], writable)
        expect(rejected).to.have.length(1)
        expect(rejected[0]!.error).to.include({ code: 'VALUE_NOT_ENCODABLE', column: 'at', rowIndex: 4 })
        if (fault instanceof Error) expect(rejected[0]!.error.cause).to.equal(fault)
        expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM places')).to.deep.equal([[8]])
      })
    }
  }

  it('send a value without a binary form as text', async () => {
    const rows = [0, 1, 2].map(id => ({ id, at: { x: id / 2, y: 0 } }))
    await write([rows], { pool: makePool().pool, table: 'places', codecs })
    expect(await valuesOf(db.pool, 'SELECT at::text FROM places ORDER BY id')).to.deep.equal([
      ['(0,0)'],
      ['(0.5,0)'],
      ['(1,0)'],
    ])
  })

  it('may have no binary form', async () => {
    const { pool } = makePool()
    const textOnly = { codecs: { 'pg_catalog.point': { text: point.text } as Codec }, table: 'places', pool }
    await write([[{ id: 1, ...ROW }]], textOnly)
    expect(await valuesOf(db.pool, TEXTS)).to.deep.equal([STORED])
    const refused = failureOf(write([[{ id: 2, ...ROW }]], { ...textOnly, copyFormat: 'binary' }))
    expect(await refused).to.include({ column: 'at', outcome: 'not-sent' })
  })

  it('receive strings and views of bytes, too, in place of our own codecs', async () => {
    const received: unknown[] = []
    const text: Codec = { text: value => `${received.push(value)}` }
    await db.pool.query('CREATE TABLE texts (id int, a text, b text, c text[])')
    await write([[{ id: 1, a: 'x', b: Float32Array.of(1), c: [Buffer.of(1), 'y'] }]], {
      pool: makePool().pool,
      table: 'texts',
      codecs: { 'pg_catalog.text': text },
    })
    expect(received).to.deep.equal(['x', Float32Array.of(1), Buffer.of(1), 'y'])
    expect(await valuesOf(db.pool, 'SELECT a, b, c FROM texts')).to.deep.equal([['1', '2', ['3', '4']]])
  })

  it('are not asked for the parts of a composite type or a range, which come from texts', async () => {
    await db.pool.query('CREATE TYPE place AS (name text, at point); CREATE TABLE named (p place)')
    await write([[{ p: '(a,"(1,2)")' }]], { pool: makePool().pool, table: 'named', codecs })
    expect(await valuesOf(db.pool, 'SELECT p::text FROM named')).to.deep.equal([['(a,"(1,2)")']])
    expect(calls).to.deep.equal({ text: 0, binary: 0 })
  })

  it('whose bytes the server refuses have a row rejected', async () => {
    const short: Codec<number> = { text: String, binary: size => Buffer.alloc(size) }
    const writable = new PgBatchWritable({
      pool: makePool().pool,
      table: 'places',
      codecs: { 'pg_catalog.point': short },
      rejectLimit: 1,
    })
    const rejected = await load([rowsOf(5, id => ({ id, at: id === 3 ? 15 : 16 }))], writable)
    expect(rejected.map(({ error }) => error)).to.have.length(1)
    expect(rejected[0]!.error).to.include({ code: 'REFUSED', rowIndex: 3 })
  })

  it('work in upserts and for PgRowWriter', async () => {
    const { pool } = makePool()
    const writer = new PgRowWriter<{ id: number; at: Point }>({
      pool,
      table: 'places',
      codecs,
      onConflict: { target: ['id'], action: 'update' },
    })
    await writer.write({ id: 1, at: { x: 1, y: 1 } })
    await writer.write({ id: 1, at: { x: 1, y: 7 } })
    await writer.end()
    const upserts = rowsOf(2000, id => ({ id, at: { x: id, y: 8 } }))
    await write([upserts], {
      pool,
      table: 'places',
      codecs,
      onConflict: { target: ['id'], action: 'update' },
    })
    expect(await valuesOf(db.pool, 'SELECT count(*)::int, min(at[1]) FROM places')).to.deep.equal([[2000, 8]])
  })

  it('of which two are for one type fail the stream', async () => {
    const twice = { 'pg_catalog.point': point as Codec, '"pg_catalog".point': point as Codec }
    const failed = failureOf(write([[{ id: 1 }]], { pool: makePool().pool, table: 'places', codecs: twice }))
    expect((await failed).message).to.match(/which another key names, too/)
  })

  const UNKNOWN: readonly [string, RegExp][] = [
    ['public.point', /"public"\."point", which does not exist.*'pg_catalog\.int4'/],
    ['nowhere.point', /"nowhere"\."point", which does not exist/],
    ['pg_catalog.Point', /"pg_catalog"\."Point", which does not exist/],
  ]
  for (const [key, message] of UNKNOWN) {
    it(`for ${key}, which is not a type, fail the stream before anything is sent`, async () => {
      const failed = failureOf(
        write([[{ id: 1 }]], { pool: makePool().pool, table: 'places', codecs: { [key]: point as Codec } }),
      )
      expect(await failed).to.include({ code: 'REFUSED', outcome: 'not-sent' })
      expect((await failed).message).to.match(message)
    })
  }

  it('for a quoted name find its type', async () => {
    await db.pool.query(`CREATE SCHEMA "s.1"; CREATE DOMAIN "s.1"."My Point" AS point;
      CREATE TABLE quoted (p "s.1"."My Point")`)
    const table = { pool: makePool().pool, table: 'quoted' }
    await write([[{ p: { x: 1, y: 2 } }]], { ...table, codecs: { '"s.1".My Point': point as Codec } })
    expect(await valuesOf(db.pool, 'SELECT p::text FROM quoted')).to.deep.equal([['(1,2)']])
  })
})
