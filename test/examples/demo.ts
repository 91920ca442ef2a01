/**
 * `npm run demo`: two real files, 210,000 rows, into a real PostgreSQL, through ordinary Node streams.
 *
 *   npm run demo                          an embedded PostgreSQL, gone afterwards
 *   npm run demo -- --keep                the same, kept running to look at the tables
 *   DATABASE_URL=postgres://… npm run demo   a database of your own (PG* variables do as well)
 */
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'csv-parse'
import pg from 'pg'
import { streamArray } from 'stream-json/streamers/stream-array.js'
import { startEmbeddedServer } from '../../lib/embedded/embedded-server.ts'
import { BatchTransform, PgBatchWritable } from '../../lib/index.ts' // for you: 'pg-batch-streams'

// ── The two loads: what you would write
// ──────────────────────────────────────────────────────────────────────

/** A CSV file: csv-parse makes an object of each record, `toRow` gives it the table's columns and types. */
async function loadBirdstrikes(pool: pg.Pool) {
  const sink = new PgBatchWritable({ pool, table: 'batch_demo.birdstrikes', toRow: toBirdstrike })
  await pipeline(
    createReadStream(dataset('birdstrikes.csv')),
    parse({ columns: true, bom: true }),
    new BatchTransform({ maxCount: 1000 }),
    sink,
  )
  return sink.stats
}

/** A JSON array: stream-json yields its elements one by one, so the file may be larger than memory. */
async function loadFlights(pool: pg.Pool) {
  const sink = new PgBatchWritable({ pool, table: 'batch_demo.flights', toRow: toFlight, concurrency: 2 })
  await pipeline(
    createReadStream(dataset('flights-200k.json')),
    streamArray.withParserAsStream({ streamValues: false }),
    new BatchTransform({ maxCount: 5000 }),
    sink,
  )
  return sink.stats
}

function toBirdstrike(record: Record<string, string>) {
  return {
    airport: record['Airport Name'],
    aircraft: record['Aircraft Make Model'],
    operator: record['Aircraft Airline Operator'],
    state: record['Origin State'],
    flown_on: record['Flight Date'], // '1990-01-08': dates need no Date, and no time zone
    phase: record['Phase of flight'],
    species: record['Wildlife Species'],
    size: record['Wildlife Size'],
    time_of_day: record['Time of day'],
    damaged: record['Effect Amount of damage'] !== 'None',
    cost_dollars: Number(record['Cost Total $']),
    speed_knots: record['Speed IAS in knots'] || null, // not every speed is known
  }
}

function toFlight({ value }: { value: { delay: number; distance: number; time: number } }) {
  return { delay_minutes: value.delay, distance_miles: value.distance, hour: value.time }
}

const TABLES = `
  CREATE TABLE batch_demo.birdstrikes (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    airport      text NOT NULL,
    aircraft     text NOT NULL,
    operator     text NOT NULL,
    state        text NOT NULL,
    flown_on     date NOT NULL,
    phase        text,
    species      text NOT NULL,
    size         text,
    time_of_day  text,
    damaged      boolean NOT NULL,
    cost_dollars integer NOT NULL,
    speed_knots  integer
  );
  CREATE TABLE batch_demo.flights (
    delay_minutes  integer NOT NULL,
    distance_miles integer NOT NULL,
    hour           real NOT NULL
  )`

// ── Around them: a server, a schema of its own, and what is printed
// ──────────────────────────────────────────

async function main(): Promise<void> {
  const keep = process.argv.includes('--keep')
  const database = await openDatabase()
  const pool = new pg.Pool(database.config)
  pool.on('error', () => {}) // an idle connection that breaks is replaced; unheard, it would end the process
  try {
    const { rows } = await pool.query<{ server_version: string }>('SHOW server_version')
    print(`Two real files into ${database.name}, PostgreSQL ${rows[0]?.server_version}`)
    await makeSchema(pool)
    const counts = [
      await show(pool, 'birdstrikes.csv', 'birdstrikes', loadBirdstrikes),
      await show(pool, 'flights-200k.json', 'flights', loadFlights),
    ]
    if (counts.includes(false)) process.exitCode = 1
    printWhatNext(database, keep)
    if (keep && database.embedded) await once(process, 'SIGINT')
  } finally {
    await pool.end()
    await database.embedded?.stop()
  }
}

interface Database {
  readonly name: string
  readonly config: pg.PoolConfig
  /** Only of the demo's own server. */
  readonly embedded?: { connectionString: string; stop(): Promise<void> }
}

async function openDatabase(): Promise<Database> {
  const { DATABASE_URL, PGHOST, PGPORT, PGUSER, PGDATABASE } = process.env
  if (DATABASE_URL)
    return { name: 'the database of DATABASE_URL', config: { connectionString: DATABASE_URL } }
  if (PGHOST || PGPORT || PGUSER || PGDATABASE) return { name: 'the database of PG*', config: {} }
  const embedded = await startEmbeddedServer({ stopOnSignal: !process.argv.includes('--keep') })
  return { name: 'an embedded server', config: { connectionString: embedded.connectionString }, embedded }
}

/** Marks the schema as the demo's, so that it never drops another schema of the same name. */
const MARK = 'Made by the demo of pg-batch-streams, and dropped when it runs again'

async function makeSchema(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ comment: string | null }>(
    "SELECT obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace WHERE nspname = 'batch_demo'",
  )
  if (rows[0] && rows[0].comment !== MARK) {
    throw new Error(
      "The database has a schema batch_demo that is not the demo's. Rename it, or use another one.",
    )
  }
  await pool.query(`
    DROP SCHEMA IF EXISTS batch_demo CASCADE;
    CREATE SCHEMA batch_demo;
    COMMENT ON SCHEMA batch_demo IS '${MARK}';
    ${TABLES}`)
}

type Load = (pool: pg.Pool) => Promise<PgBatchWritable['stats']>

/** Runs one load and compares what it says with what the server counts. */
async function show(pool: pg.Pool, file: string, table: string, load: Load): Promise<boolean> {
  const started = performance.now()
  const { rowsCommitted, batchesCommitted, transactions } = await load(pool)
  const seconds = (performance.now() - started) / 1000
  const { rows } = await pool.query<{ count: string }>(`SELECT count(*) FROM batch_demo.${table}`)
  const same = Number(rows[0]?.count) === rowsCommitted && rowsCommitted > 0
  print(`
${file} -> batch_demo.${table}
  committed  ${number(rowsCommitted)} rows in ${number(batchesCommitted)} batches, ${number(transactions)} transactions
  took       ${seconds.toFixed(2)} s, ${number(Math.round(rowsCommitted / seconds))} rows/s
  count(*)   ${number(Number(rows[0]?.count))} ${same ? '(the same)' : '(NOT THE SAME)'}`)
  return same
}

function printWhatNext({ embedded }: Database, keep: boolean): void {
  if (!embedded) {
    print(`
The tables are in your database, in the schema batch_demo. To be rid of them:
  DROP SCHEMA batch_demo CASCADE`)
  } else if (keep) {
    print(`
Look at the tables, from another terminal in this folder:
  psql ${embedded.connectionString} \\
    -c 'TABLE batch_demo.flights LIMIT 5'
or, without psql:
  node -e "new (require('pg').Pool)({ allowExitOnIdle: true, connectionString:
    '${embedded.connectionString}' })
    .query('SELECT * FROM batch_demo.flights LIMIT 5')
    .then(({ rows }) => console.table(rows))"
Ctrl-C stops the server and deletes its data.`)
  } else {
    print(`
The server is stopped and its data deleted. To look at the tables:
  npm run demo -- --keep
To load them into a database of your own, into a schema batch_demo:
  DATABASE_URL=postgres://user:password@host:5432/database npm run demo`)
  }
}

function dataset(file: string): string {
  return fileURLToPath(new URL(`../data/${file}`, import.meta.resolve('vega-datasets')))
}

function number(n: number): string {
  return n.toLocaleString('en-US')
}

function print(text: string): void {
  console.log(text)
}

await main().catch((error: Error) => {
  console.error(`demo: ${error.message}`)
  process.exitCode = 1
})
