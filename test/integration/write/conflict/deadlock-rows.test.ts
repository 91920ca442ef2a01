import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { type OnConflict, PgBatchWritable, PgRowWriter } from '../../../../lib/index.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { rowsOf, valuesOf } from '../../../support/writing.ts'

interface Row {
  name: string
  n: number
  note?: string
}

const RETRY = 'pg-batch-streams:retry'
const KEYS = 40
const ROUNDS = 40

describe('parallel upserts that go row by row do not deadlock', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  const retries: unknown[] = []
  const listener = (message: unknown): void => void retries.push(message)

  before(() => subscribe(RETRY, listener))
  after(() => unsubscribe(RETRY, listener))
  beforeEach(() => {
    retries.length = 0
  })

  const TARGETS: Readonly<Record<string, readonly [index: string, target: OnConflict<Row>['target']]>> = {
    'a column': ['(name)', ['name']],
    'an expression': ['(lower(name))', { index: 'the_key' }],
    'a partial index': ['(name) WHERE NOT ended', { index: 'the_key' }],
  }

  const store = (prefixes: readonly string[]) =>
    db.pool.query(
      'INSERT INTO contested (name, n) SELECT p || key, 0 FROM unnest($1::text[]) p, generate_series(0, $2) key',
      [prefixes, KEYS - 1],
    )

  /** Some of the keys in one order or the other, some twice, and in two shapes. */
  const round = (number: number): Row[] => {
    const names = rowsOf(KEYS, key => `${(key + number) % 2 ? 'a' : 'A'}${key}`)
    const rows = names.map((name, key): Row => ({ name, n: 1, ...(key % 3 ? {} : { note: 'set' }) }))
    const some = rows.filter((_, key) => (key + number) % 4 > 0)
    const twice = [...some, ...some.slice(0, 5)]
    return number % 2 ? twice : twice.reverse()
  }
  const rounds = rowsOf(ROUNDS, round)

  for (const [kind, [index, target]] of Object.entries(TARGETS)) {
    for (const mode of ['upsert', 'update-only'] as const) {
      const onConflict = { target, action: 'update', mode, update: { n: 'stored.n + excluded.n' } } as const

      const begin = async () => {
        await db.pool.query(`DROP TABLE IF EXISTS contested; CREATE TABLE contested
          (id serial PRIMARY KEY, name text, ended boolean DEFAULT false, n int, note text DEFAULT 'none');
          CREATE UNIQUE INDEX the_key ON contested ${index}`)
        if (mode === 'update-only') await store(['a'])
      }

      it(`${kind}, ${mode}, by PgRowWriter`, async () => {
        await begin()
        const writer = new PgRowWriter<Row, { n: number }>({
          pool: makePool().pool,
          table: 'contested',
          onConflict,
          concurrency: 4,
          maxCount: 30,
          returning: ['n'],
        })
        const written = rounds.map(rows => Promise.all(rows.map(row => writer.write(row))))
        const results = (await Promise.all(written)).flat()
        await writer.end()
        expect(retries).to.deep.equal([])
        const changed = results.filter(({ action }) => action !== 'unchanged').length
        expect(await valuesOf(db.pool, 'SELECT sum(n)::int FROM contested')).to.deep.equal([[changed]])
      })

      it(`${kind}, ${mode}, by INSERT`, async () => {
        await begin()
        // one statement for all rows locks those that are stored, and then inserts new ones: others that
        // store the same keys in between may deadlock with it
        if (kind === 'a column' && mode === 'upsert') await store(['a', 'A'])
        const writable = new PgBatchWritable<Row>({
          pool: makePool().pool,
          table: 'contested',
          method: 'insert',
          onConflict,
          concurrency: 4,
          // a transaction for each batch: statements of several batches lock rows in no common order
          inTransaction: () => {},
        })
        await pipeline(Readable.from(rounds), writable)
        expect(retries).to.deep.equal([])
        const { rowsCommitted } = writable.stats
        expect(await valuesOf(db.pool, 'SELECT sum(n)::int FROM contested')).to.deep.equal([[rowsCommitted]])
      })
    }
  }
})
