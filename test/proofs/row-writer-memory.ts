import { parseArgs } from 'node:util'
import pg from 'pg'
import { startEmbeddedServer } from '../../lib/embedded/embedded-server.ts'
import { PgRowWriter } from '../../lib/index.ts'

/**
 * A thousand callers who each await one row after the other: the memory of the process has to stay as it is,
 * however many rows they write.
 *
 *     node --expose-gc --import tsx test/proofs/row-writer-memory.ts [--rows 5000000] [--returning]
 */
const { values } = parseArgs({
  options: { rows: { type: 'string', default: '5000000' }, returning: { type: 'boolean', default: false } },
})

const CALLERS = 1000
/** How often memory is looked at. */
const POINTS = 10
/** What the heap may grow from the first half of the points to the second. */
const MAX_GROWTH_BYTES = 4 * 1024 * 1024

interface Row {
  readonly id: number
  readonly text: string
}

const { gc } = globalThis
if (!gc) throw new Error('Run it with node --expose-gc, so that garbage does not count')
const rows = Number(values.rows)
const server = await startEmbeddedServer({ durable: false })
const pool = new pg.Pool({ connectionString: server.connectionString, max: 2 })
try {
  await pool.query('CREATE UNLOGGED TABLE t (id bigint, text text)')
  const writer = new PgRowWriter<Row, { id: string }>({
    pool,
    table: 't',
    ...(values.returning ? { returning: ['id'] as const } : {}),
  })
  const heaps: number[] = []
  let next = 0
  const call = async (to: number): Promise<void> => {
    while (next < to) {
      const id = next++
      await writer.write({ id, text: `row ${id}` })
    }
  }
  for (let point = 1; point <= POINTS; point++) {
    const to = Math.round((rows * point) / POINTS)
    await Promise.all(Array.from({ length: CALLERS }, () => call(to)))
    await gc()
    const { heapUsed, rss } = process.memoryUsage()
    heaps.push(heapUsed)
    console.log(`${next} rows: heap ${toMib(heapUsed)} MiB, resident ${toMib(rss)} MiB`)
  }
  await writer.end()
  const { rows: counted } = await pool.query('SELECT count(*)::int AS count FROM t')
  if (counted[0].count !== rows) throw new Error(`${counted[0].count} of ${rows} rows are in the table`)
  // the first point has what is made once
  const early = Math.max(...heaps.slice(1, POINTS / 2))
  const growth = Math.max(...heaps.slice(POINTS / 2)) - early
  const isFlat = growth <= MAX_GROWTH_BYTES
  console.log(`${isFlat ? 'flat' : 'FAILED'}: the heap has grown by ${toMib(Math.max(0, growth))} MiB`)
  process.exitCode = isFlat ? 0 : 1
} finally {
  await pool.end()
  await server.stop()
}

function toMib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1)
}
