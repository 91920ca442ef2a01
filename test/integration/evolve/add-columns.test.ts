import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect } from 'chai'
import { PgRowWriter } from '../../../lib/row-writer/pg-row-writer.ts'
import type { EvolveMessage } from '../../../lib/writable/diagnostics.ts'
import type { EvolveEvent } from '../../../lib/writable/events.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { lockTable, untilBlocked, usePools } from '../../support/servers/pools.ts'
import { failureOf, METHODS, options, slug, valuesOf, write } from '../../support/writing.ts'
import { rejectedBy } from '../reliability/load.ts'

type Row = Record<string, unknown>

describe('evolve: true', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const makePool = usePools(db)

  const columnsOf = async (table: string): Promise<Record<string, string>> =>
    Object.fromEntries(
      await valuesOf(
        db.pool,
        `SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      ),
    )

  /** Opens a stream that collects its events. */
  function open(table: string, more: object = {}) {
    const { pool, name } = makePool()
    const writable = new PgBatchWritable<Row>({ pool, table, evolve: true, ...more })
    const events: EvolveEvent[] = []
    writable.on('evolve', event => events.push(event))
    const rejected = rejectedBy(writable)
    const done = new Promise<void>((resolve, reject) => writable.on('error', reject).on('finish', resolve))
    done.catch(() => {})
    return { writable, events, rejected, done, name }
  }

  async function writeAll(table: string, batches: readonly Row[][], more: object = {}) {
    const stream = open(table, more)
    for (const batch of batches) stream.writable.write(batch)
    stream.writable.end()
    await stream.done
    return stream
  }

  const create = (table: string, columns = 'id int') =>
    db.pool.query(`DROP TABLE IF EXISTS ${table} CASCADE; CREATE TABLE ${table} (${columns})`)

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

  it('sends no ALTER TABLE where another session has added the column', async () => {
    await create('raced')
    const { writable, events, done } = open('raced')
    writable.write([{ id: 1 }])
    await new Promise(resolve => writable.once('commit', resolve))
    await db.pool.query('ALTER TABLE raced ADD COLUMN a bigint')
    writable.end([{ id: 2, a: 5 }])
    await done
    expect(events).to.deep.equal([])
    expect(await valuesOf(db.pool, 'SELECT id, a FROM raced ORDER BY id')).to.deep.equal([
      [1, null],
      [2, '5'],
    ])
  })

  it('adds a column again that another session renames while a new one is added', async () => {
    await create('renamed', 'id int, n int')
    let transactions = 0
    const { rejected, events } = await writeAll('renamed', [[{ id: 1, n: 2, extra: 3 }]], {
      rejectLimit: 5,
      onBegin: async () => {
        // the first is the introspection, the second adds the column
        if (++transactions === 2) await db.pool.query('ALTER TABLE renamed RENAME n TO m')
      },
    })
    expect(rejected).to.deep.equal([])
    expect(events.flatMap(({ added }) => added.map(({ name }) => name))).to.deep.equal(['extra', 'n'])
    expect(await valuesOf(db.pool, 'SELECT id, n, extra FROM renamed')).to.deep.equal([[1, 2, 3]])
  })

  it('stops waiting for a lock after lockTimeoutMs, and tries again until it has it', async () => {
    await create('locked')
    const { writable, events, done, name } = open('locked', {
      evolve: { lockTimeoutMs: 100 },
      retry: { retries: Number.POSITIVE_INFINITY, minDelayMs: 1, maxDelayMs: 20 },
    })
    const retries: string[] = []
    writable.on('retry', ({ error }) => retries.push(`${error.sqlState} ${error.outcome}`))
    const unlock = await lockTable(db, 'locked')
    try {
      writable.end([{ id: 1, a: 1 }])
      await untilBlocked(db, name)
      while (retries.length < 2) await new Promise(resolve => writable.once('retry', resolve))
    } finally {
      await unlock()
    }
    await done
    expect(new Set(retries)).to.deep.equal(new Set(['55P03 not-sent']))
    expect(events).to.have.lengthOf(1)
    expect(await valuesOf(db.pool, 'SELECT id, a FROM locked')).to.deep.equal([[1, 1]])
  })

  it('fails with the statement where the role does not own the table, and sends no row', async () => {
    await create('foreign_owner')
    const { rows } = await db.pool.query('SELECT current_database() AS name')
    const role = `evolver_${rows[0].name}`
    await db.pool.query(`CREATE ROLE ${role}; GRANT INSERT, SELECT ON foreign_owner TO ${role}`)
    try {
      const { writable, done } = open('foreign_owner', {
        onBegin: async (client: { query(text: string): Promise<unknown> }) => {
          await client.query(`SET LOCAL ROLE ${role}`)
        },
      })
      writable.end([{ id: 1, a: 1 }])
      const error = await failureOf(done)
      expect(error.sqlState).to.equal('42501')
      expect(error.code).to.equal('REFUSED')
      expect(error.outcome).to.equal('not-sent')
      expect(error.retryable).to.equal(false)
      expect(error.message).to.include('let its owner run it')
      expect(error.message).to.include(
        'ALTER TABLE "public"."foreign_owner" ADD COLUMN IF NOT EXISTS "a" integer',
      )
    } finally {
      await db.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM foreign_owner')).to.deep.equal([[0]])
  })

  it('adds the column to a partitioned table, and refuses a view before anything is sent', async () => {
    await create('parted', 'id int) PARTITION BY RANGE (id')
    await db.pool.query('CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100)')
    await writeAll('parted', [[{ id: 1, a: 'x' }]])
    expect(await valuesOf(db.pool, 'SELECT id, a FROM parted_1')).to.deep.equal([[1, 'x']])
    await db.pool.query('CREATE VIEW seen AS SELECT id FROM parted')
    const { writable, done } = open('seen')
    writable.end([{ id: 2 }])
    const error = await failureOf(done)
    expect(error.code).to.equal('REFUSED')
    expect(error.message).to.include('"public"."seen" is a view')
  })

  it('runs in a pool of one client, with several lanes that meet new keys', async () => {
    await create('one_client')
    const { pool } = makePool({ max: 1 })
    const writable = new PgBatchWritable<Row>({ pool, table: 'one_client', evolve: true, concurrency: 3 })
    const batches = Array.from({ length: 12 }, (_, batch) => [{ id: batch, [`k${batch % 4}`]: batch }])
    const done = new Promise<void>((resolve, reject) => writable.on('error', reject).on('finish', resolve))
    for (const batch of batches) writable.write(batch)
    writable.end()
    await done
    expect(
      await valuesOf(db.pool, 'SELECT count(*)::int, sum(coalesce(k0, k1, k2, k3))::int FROM one_client'),
    ).to.deep.equal([[12, 66]])
  })

  it('adds columns before a single transaction; a later key needs the source once more', async () => {
    await create('whole')
    const batches = [[{ id: 1, a: 1 }], [{ id: 2, a: 2, b: 'x' }], [{ id: 3, b: 'y' }]]
    const late = await failureOf(writeAll('whole', batches, { singleTransaction: true }))
    expect([late.code, late.outcome, late.retryable]).to.deep.equal(['TABLE_CHANGED', 'rolled-back', true])
    expect(Object.keys(await columnsOf('whole'))).to.deep.equal(['id', 'a', 'b'])
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM whole')).to.deep.equal([[0]])
    const { events } = await writeAll('whole', batches, { singleTransaction: true })
    expect(events).to.deep.equal([])
    expect(await valuesOf(db.pool, 'SELECT id, a, b FROM whole ORDER BY id')).to.deep.equal([
      [1, 1, null],
      [2, 2, 'x'],
      [3, null, 'y'],
    ])
  })

  it('adds columns before a replacement, whose late keys need the source once more', async () => {
    await create('replaced', 'id int PRIMARY KEY')
    await db.pool.query('INSERT INTO replaced VALUES (1), (9)')
    const batches = [[{ id: 1, a: 1 }], [{ id: 2, a: 2, b: 'x' }]]
    const late = await failureOf(writeAll('replaced', batches, { replace: true }))
    expect([late.code, late.outcome, late.retryable]).to.deep.equal(['TABLE_CHANGED', 'rolled-back', true])
    expect(await valuesOf(db.pool, 'SELECT id FROM replaced ORDER BY id')).to.deep.equal([[1], [9]])
    await writeAll('replaced', batches, { replace: true })
    expect(await valuesOf(db.pool, 'SELECT id, a, b FROM replaced ORDER BY id')).to.deep.equal([
      [1, 1, null],
      [2, 2, 'x'],
    ])
  })

  it('adds columns for the rows of a PgRowWriter, and publishes the change', async () => {
    await create('single', 'id serial PRIMARY KEY')
    const changes: EvolveMessage[] = []
    const note = (message: unknown) => void changes.push(message as EvolveMessage)
    subscribe('pg-batch-streams:evolve', note)
    const { pool } = makePool()
    const writer = new PgRowWriter<Row, { id: number; b: number }>({
      pool,
      table: 'single',
      evolve: { widenTypes: true },
      returning: ['id'],
    })
    try {
      const written = await Promise.allSettled([
        writer.write({ a: 'x' }),
        writer.write({ a: 'y', b: 1 }),
        writer.write({ a: 'z', ctid: 1 }),
      ])
      expect(written.map(({ status }) => status)).to.deep.equal(['fulfilled', 'fulfilled', 'rejected'])
      await writer.write({ b: 2 ** 40 })
    } finally {
      await writer.end()
      unsubscribe('pg-batch-streams:evolve', note)
    }
    expect(await valuesOf(db.pool, 'SELECT a, b FROM single ORDER BY a')).to.deep.equal([
      ['x', null],
      ['y', '1'],
      [null, '1099511627776'],
    ])
    expect(
      changes.map(({ table, added, widened }) => [table.name, added.length, widened.length]),
    ).to.deep.equal([
      ['single', 2, 0],
      ['single', 0, 1],
    ])
  })

  it('keeps rows and checkpoint exact where items come again', async () => {
    await create('marked')
    const items = Array.from({ length: 30 }, (_, offset) => ({ offset, [`c${offset % 3}`]: offset }))
    const checkpoint = {
      name: 'evolving',
      position: (item: Row) => ({ partition: 'p', offset: item.offset as number }),
    }
    await db.pool.query('ALTER TABLE marked ADD COLUMN "offset" int')
    await writeAll('marked', [items.slice(0, 20)], { checkpoint })
    await writeAll('marked', [items.slice(0, 10), items.slice(10)], { checkpoint })
    expect(
      await valuesOf(db.pool, 'SELECT count(*)::int, sum(coalesce(c0, c1, c2))::int FROM marked'),
    ).to.deep.equal([[30, 435]])
  })
})
