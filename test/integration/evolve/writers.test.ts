import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { beginChangeSql } from '../../../lib/table/alter-table.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { seededRandom } from '../../support/random.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { roleWith, sessions, terminate, untilBlocked, usePools } from '../../support/servers/pools.ts'
import { until } from '../../support/until.ts'
import { valuesOf } from '../../support/writing.ts'

type Row = Record<string, unknown>

const WRITERS = 8
const ROUNDS = 12
const ROWS = 40
/** Values that need wider and wider types. */
const GROWING = [1, 2 ** 40, 0.5]

describe('writers that meet the same new keys at once', function () {
  this.timeout(120_000)
  const db = useDatabase()
  const makePool = usePools(db)

  /** Starts the writers; `sqlStates` collects what their retries were for. */
  function start(more: object = {}) {
    const sqlStates: (string | undefined)[] = []
    const added: string[] = []
    const names: string[] = []
    const done = Array.from({ length: WRITERS }, async (_, number) => {
      const { pool, name } = makePool()
      names.push(name)
      const writable = new PgBatchWritable<Row>({
        pool,
        table: 'shared',
        evolve: { widenTypes: true },
        concurrency: 2,
        retry: { retries: Number.POSITIVE_INFINITY, minDelayMs: 1, maxDelayMs: 50 },
        ...more,
      })
      writable.on('retry', ({ error }) => sqlStates.push(error.sqlState))
      writable.on('evolve', event => added.push(...event.added.map(column => column.name)))
      const batches = Array.from({ length: ROUNDS }, (_, round) => {
        const from = (number * ROUNDS + round) * ROWS
        return Array.from({ length: ROWS }, (_, index) => ({
          id: from + index,
          [`key ${round}`]: 1,
          grown: GROWING[Math.floor((round * GROWING.length) / ROUNDS)],
        }))
      })
      await pipeline(Readable.from(batches), writable)
    })
    return { done: Promise.all(done), sqlStates, added, names }
  }

  async function expectExact(): Promise<void> {
    const columns = await valuesOf(
      db.pool,
      `SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
       WHERE attrelid = 'shared'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'id' ORDER BY 1`,
    )
    expect(columns).to.have.deep.members([
      ['grown', 'numeric'],
      ...Array.from({ length: ROUNDS }, (_, round) => [`key ${round}`, 'integer']),
    ])
    const all = WRITERS * ROUNDS * ROWS
    expect(
      await valuesOf(
        db.pool,
        `SELECT count(*)::int, count(DISTINCT id)::int, sum("key 5")::int, sum(grown)::float8 FROM shared`,
      ),
    ).to.deep.equal([[all, all, WRITERS * ROWS, (all / GROWING.length) * (1 + 2 ** 40 + 0.5)]])
  }

  beforeEach(() => db.pool.query('DROP TABLE IF EXISTS shared; CREATE TABLE shared (id int)'))

  it('makes one column for each, without a deadlock', async () => {
    const { done, sqlStates, added } = start()
    await done
    expect(sqlStates).not.to.include('40P01')
    expect([...added].sort()).to.deep.equal(
      ['grown', ...Array.from({ length: ROUNDS }, (_, round) => `key ${round}`)].sort(),
    )
    await expectExact()
  })

  it('leaves exact counts while sessions are killed', async () => {
    const random = seededRandom(5)
    const { done, sqlStates, names } = start()
    let running = true
    let killed = 0
    const kills = (async () => {
      // not without end: each kill undoes what a writer has done
      while (running && killed < 100) {
        const name = names[Math.floor(random.next() * names.length)]!
        killed += await terminate(
          db,
          name,
          random.next() < 0.5 ? "query ~ 'ALTER|advisory'" : "state <> 'idle'",
        )
      }
    })()
    try {
      await done
    } finally {
      running = false
      await kills
    }
    expect(killed).to.be.at.least(1)
    expect(sqlStates).not.to.include('40P01')
    await expectExact()
  })

  it('make a column wider for an owner who has no right but INSERT and SELECT', async () => {
    const { config, drop } = await roleWith(db, {})
    const role = new URL(config.connectionString!).username
    try {
      await db.pool.query(`ALTER ROLE ${role} NOSUPERUSER;
        DROP TABLE shared; CREATE TABLE shared (id int, v int); ALTER TABLE shared OWNER TO ${role};
        REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON shared FROM ${role}`)
      const writable = new PgBatchWritable({
        pool: makePool(config).pool,
        table: 'shared',
        evolve: { widenTypes: true },
      })
      writable.end([{ id: 1, v: 2 ** 40 }])
      await finished(writable)
      expect(await valuesOf(db.pool, 'SELECT v::text FROM shared')).to.deep.equal([[String(2 ** 40)]])
    } finally {
      await db.pool.query('DROP TABLE shared; CREATE TABLE shared (id int, v int)')
      await drop()
    }
  })

  for (const isolation of ['read committed', 'repeatable read']) {
    for (const by of ['another writer', 'a session that does not wait for its turn']) {
      it(`never makes a column narrower that ${by} widens meanwhile, under ${isolation}`, async () => {
        await db.pool.query('DROP TABLE shared; CREATE TABLE shared (id int, v int)')
        const { config, drop } = await roleWith(db, { default_transaction_isolation: `'${isolation}'` })
        const { pool, name } = makePool(config)
        const [turn, other] = [await db.pool.connect(), await db.pool.connect()]
        try {
          await turn.query(`BEGIN; ${beginChangeSql({ schema: 'public', name: 'shared' }, 0)}`)
          const writable = new PgBatchWritable({ pool, table: 'shared', evolve: { widenTypes: true } })
          writable.end([{ id: 1, v: 2 ** 40 }])
          const done = finished(writable)
          await untilBlocked(db, name)
          await other.query(
            'BEGIN; ALTER TABLE shared ALTER v TYPE numeric; INSERT INTO shared VALUES (2, 1.5)',
          )
          if (by === 'another writer') await other.query('COMMIT')
          await turn.query('COMMIT')
          if (by !== 'another writer') {
            const waits = "query LIKE '%shared%' AND query NOT LIKE '%advisory%' AND wait_event_type = 'Lock'"
            await until('the change waits for the table', async () => (await sessions(db, name, waits)) > 0)
            await other.query('COMMIT')
          }
          await done
        } finally {
          turn.release()
          other.release()
          await drop()
        }
        expect(await valuesOf(db.pool, 'SELECT v::text FROM shared ORDER BY id')).to.deep.equal([
          [String(2 ** 40)],
          ['1.5'],
        ])
      })
    }
  }
})
