import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { startEmbeddedServer } from '../../lib/embedded/embedded-server.ts'
import { PgBatchWritable } from '../../lib/index.ts'
import { seededRandom } from '../support/random.ts'

/**
 * All versions of all keys in random order, on four connections without lanes: `newerBy` has to leave the
 * greatest version of each key. The same rows once more, with `onlyIfChanged`, must not write a version.
 *
 *     npm run test:versions [-- --rows 1000000 --keys 100000 --seed 1]
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    keys: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
})
const [rows, keys, seed] = [Number(values.rows), Number(values.keys), Number(values.seed)]

const BATCH_ROWS = 1000
const CONNECTIONS = 4
const packageRoot = process.env.PG_BATCH_TEST_PACKAGES

interface Version {
  readonly id: number
  readonly version: number
  readonly note: string
}

const order = shuffled(rows)
const server = await startEmbeddedServer({ durable: false, ...(packageRoot ? { packageRoot } : {}) })
const pool = new pg.Pool({ connectionString: server.connectionString })
try {
  const { rows: found } = await pool.query('SHOW server_version')
  console.log(`PostgreSQL ${found[0].server_version}, ${rows} rows of ${keys} keys, seed ${seed}`)
  await pool.query('CREATE TABLE versions (id int PRIMARY KEY, version int NOT NULL, note text NOT NULL)')
  const changed = await load('newerBy', false)
  if (changed < keys) throw new Error(`Only ${changed} rows have changed something`)
  const greatest = (id: number): number => Math.floor((rows - 1 - id) / keys)
  const { rows: stored } = await pool.query('SELECT * FROM versions ORDER BY id')
  if (stored.length !== keys) throw new Error(`${stored.length} of ${keys} keys are stored`)
  for (const [id, row] of stored.entries()) {
    const version = greatest(id)
    const isGreatest = row.id === id && row.version === version && row.note === noteOf(version * keys + id)
    if (!isGreatest) throw new Error(`Key ${id} has version ${row.version}, and ${version} is its greatest`)
  }
  const before = await fingerprint()
  const again = await load('newerBy and onlyIfChanged, once more', true)
  if (again !== 0) throw new Error(`${again} rows have changed something the second time`)
  if ((await fingerprint()) !== before) throw new Error('The second time has written versions of rows')
  console.log('Each key has its greatest version, and the second time has written no version of a row.')
} finally {
  await pool.end()
  await server.stop()
}

/** Writes all versions; resolves to how many rows have changed something. */
async function load(title: string, onlyIfChanged: boolean): Promise<number> {
  const started = performance.now()
  const writable = new PgBatchWritable<Version>({
    pool,
    table: 'versions',
    concurrency: CONNECTIONS,
    onConflict: { target: ['id'], action: 'update', newerBy: 'version', onlyIfChanged },
  })
  await pipeline(Readable.from(batches()), writable)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const { rowsCommitted, rowsUnchanged } = writable.stats
  console.log(`${title}: ${seconds} s, ${rowsCommitted} rows changed something, ${rowsUnchanged} did not`)
  return rowsCommitted
}

/** The place of each version and the transaction that wrote it. */
async function fingerprint(): Promise<string> {
  const text = `SELECT md5(string_agg(concat(ctid, ' ', xmin), ',' ORDER BY id)) AS print,
    pg_relation_size('versions') AS size FROM versions`
  return JSON.stringify((await pool.query(text)).rows)
}

function* batches(): Generator<Version[]> {
  for (let from = 0; from < rows; from += BATCH_ROWS) {
    yield Array.from(order.subarray(from, from + BATCH_ROWS), number => ({
      id: number % keys,
      version: Math.floor(number / keys),
      note: noteOf(number),
    }))
  }
}

function noteOf(number: number): string {
  return `note ${number}`
}

function shuffled(count: number): Uint32Array {
  const random = seededRandom(seed)
  const numbers = Uint32Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last--) {
    const other = random.integer(0, last)
    const kept = numbers[last]!
    numbers[last] = numbers[other]!
    numbers[other] = kept
  }
  return numbers
}
