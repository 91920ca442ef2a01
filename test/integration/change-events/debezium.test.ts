import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { BatchTransform, type DebeziumChange, fromDebezium, PgBatchWritable } from '../../../lib/index.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { thorough } from '../../support/thorough.ts'
import { expectBalanced, valuesOf } from '../../support/writing.ts'

/** What happens to a row of the source: it is written, goes, or gets another key. */
type Step =
  | { kind: 'set'; id: number; v: number }
  | { kind: 'delete'; id: number }
  | { kind: 'move'; id: number; to: number; v: number }

interface Message {
  key: { id: number }
  value: string | null
}

interface Row {
  id: number
  v: number
}

const id = fc.integer({ min: 1, max: 6 })
const v = fc.integer({ min: 0, max: 99 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('set' as const), id, v }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('move' as const), id, to: id, v }) },
)

/** Runs the steps on a table of its own, and returns each as Debezium's event. */
function capture(steps: readonly Step[]): { messages: Message[]; table: Map<number, number> } {
  const table = new Map<number, number>()
  const messages: Message[] = []
  const tell = (id: number, op: string, before: Row | null, after: Row | null): void => {
    messages.push({ key: { id }, value: JSON.stringify({ op, before, after, source: {}, ts_ms: 1 }) })
  }
  const set = (id: number, v: number): void => {
    tell(id, table.has(id) ? 'u' : 'c', null, { id, v })
    table.set(id, v)
  }
  const remove = (id: number): void => {
    const before = table.get(id)
    if (before === undefined) return
    table.delete(id)
    tell(id, 'd', { id, v: before }, null)
    messages.push({ key: { id }, value: null })
  }
  for (const step of steps) {
    if (step.kind === 'set') set(step.id, step.v)
    else remove(step.id)
    if (step.kind === 'move') set(step.to, step.v)
  }
  return { messages, table }
}

describe('a stream of change events', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(async () => {
    await db.pool.query(`CREATE TABLE mirror (id int PRIMARY KEY, v int); CREATE SEQUENCE statements;
      CREATE FUNCTION fail_at_times() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF nextval('statements') % 5 = 0 THEN RAISE 'trouble' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$;
      CREATE TRIGGER trouble AFTER INSERT OR DELETE ON mirror FOR EACH STATEMENT EXECUTE FUNCTION fail_at_times()`)
  })

  const apply = async (messages: readonly Message[], maxCount: number, options: object): Promise<number> => {
    const changes = function* (): Generator<DebeziumChange<Row>> {
      for (const { key, value } of messages) {
        const change = fromDebezium<Row>(value, key)
        if (change) yield change
      }
    }
    const writable = new PgBatchWritable<DebeziumChange<Row>, Row>({
      pool: makePool().pool,
      table: 'mirror',
      toRow: ({ row }) => row,
      operation: ({ operation }) => operation,
      onConflict: { target: ['id'], action: 'update' },
      laneOf: ({ row }) => row.id,
      retry: { retries: 1000, minDelayMs: 1, maxDelayMs: 2 },
      ...options,
    })
    let retries = 0
    writable.on('retry', () => {
      retries++
    })
    await pipeline(Readable.from(changes()), new BatchTransform<DebeziumChange<Row>>({ maxCount }), writable)
    expectBalanced(writable.stats)
    // a tombstone finds nothing that the delete before it has left
    expect(writable.stats.rowsCommitted).to.equal(messages.filter(({ value }) => value !== null).length)
    return retries
  }

  for (const method of ['insert', 'copy', 'auto'] as const) {
    for (const concurrency of [1, 3]) {
      it(`equals its source, with faults or without: method ${method}, concurrency ${concurrency}`, async () => {
        let retries = 0
        await fc.assert(
          fc.asyncProperty(
            fc.array(step, { minLength: 1, maxLength: 60 }),
            fc.integer({ min: 1, max: 25 }),
            async (steps, maxCount) => {
              await db.pool.query('TRUNCATE mirror')
              const { messages, table } = capture(steps)
              if (messages.length === 0) return
              retries += await apply(messages, maxCount, { method, concurrency })
              const stored = await valuesOf(db.pool, 'SELECT id, v FROM mirror ORDER BY id')
              expect(stored).to.deep.equal([...table].sort(([one], [other]) => one - other))
            },
          ),
          { numRuns: Math.max(8, thorough(32)) },
        )
        expect(retries).to.be.at.least(1)
      })
    }
  }

  it('stores the values that the source had', async () => {
    await db.pool.query(`CREATE TABLE typed (id int PRIMARY KEY, day date, at timestamp, zoned timestamptz, clock time,
      amount numeric(20,2), any_amount numeric, doc jsonb, bits bytea, span interval)`)
    const field = (name: string, column: string, parameters?: object) => ({ name, field: column, parameters })
    const fields = [
      { type: 'int32', field: 'id' },
      field('io.debezium.time.Date', 'day'),
      field('io.debezium.time.MicroTimestamp', 'at'),
      field('io.debezium.time.ZonedTimestamp', 'zoned'),
      field('io.debezium.time.MicroTime', 'clock'),
      field('org.apache.kafka.connect.data.Decimal', 'amount', { scale: '2' }),
      field('io.debezium.data.VariableScaleDecimal', 'any_amount'),
      field('io.debezium.data.Json', 'doc'),
      { type: 'bytes', field: 'bits' },
      field('io.debezium.time.MicroDuration', 'span'),
    ]
    const rows = [
      {
        id: 1,
        day: 20_000,
        at: 1529507596945104,
        zoned: '2018-06-20T15:13:16.945104Z',
        clock: 45296000001,
        amount: 'AN3q',
        any_amount: { scale: 3, value: 'AeJA' },
        doc: '{"a": [1]}',
        bits: '3q2+7w==',
        span: 93784000000,
      },
      { id: 2, day: -719529, at: -1_000_000, zoned: null, clock: 0, amount: '/w==', doc: 'null' },
    ]
    const schema = { type: 'struct', fields: [{ type: 'struct', field: 'after', fields }] }
    const changes = rows.map(after => fromDebezium({ schema, payload: { op: 'c', before: null, after } })!)
    for (const method of ['copy', 'insert'] as const) {
      await db.pool.query('TRUNCATE typed')
      await pipeline(
        Readable.from([changes]),
        new PgBatchWritable<DebeziumChange, Record<string, unknown>>({
          pool: makePool().pool,
          table: 'typed',
          method,
          toRow: ({ row }) => row,
          operation: ({ operation }) => operation,
          onConflict: { target: ['id'], action: 'update' },
        }),
      )
      const stored = await valuesOf(
        db.pool,
        `SELECT day::text, at::text, extract(epoch FROM zoned)::text, clock::text, amount::text, any_amount::text,
          doc::text, encode(bits, 'hex'), span::text FROM typed ORDER BY id`,
      )
      expect(stored).to.deep.equal([
        [
          '2024-10-04',
          '2018-06-20 15:13:16.945104',
          '1529507596.945104',
          '12:34:56.000001',
          '568.10',
          '123.456',
          '{"a": [1]}',
          'deadbeef',
          '26:03:04',
        ],
        ['0002-12-31 BC', '1969-12-31 23:59:59', null, '00:00:00', '-0.01', null, 'null', null, null],
      ])
    }
  })
})
