import { once } from 'node:events'
import pg from 'pg'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { readCheckpoint } from '../../../lib/write/checkpoint/read-checkpoint.ts'

/** What a writer of evolve-kills.ts receives, as JSON in its first argument. */
export interface EvolvingPlan {
  readonly url: string
  readonly number: number
  readonly rounds: number
  /** How many rows it writes in each round. */
  readonly rows: number
}

/** A third of the rounds each: an integer, a bigint and a numeric. */
const WIDE = [1, 2 ** 40, 0.5]

const { url, number, rounds, rows } = JSON.parse(process.argv[2]!) as EvolvingPlan

/** The rows of a round: they have a key that no row of an earlier one has. */
function rowsOf(round: number): { id: number }[] {
  const wide = WIDE[Math.floor(((round - 1) * WIDE.length) / rounds)]
  return Array.from({ length: rows }, (_, index) => ({
    id: (number * rounds + round - 1) * rows + index,
    wide,
    [`key ${round}`]: index,
  }))
}

const pool = new pg.Pool({ connectionString: url, max: 2 })
pool.on('error', () => {})
const name = `writer ${number}`
const stored = (await readCheckpoint(pool, name)).get('')
let done = stored === undefined ? 0 : Math.floor((Number(stored) + 1) / rows) - number * rounds
const writable = new PgBatchWritable<{ id: number }>({
  pool,
  table: 'grown',
  evolve: { widenTypes: true, maxNewColumns: rounds + 1 },
  checkpoint: { name, position: ({ id }) => ({ offset: id }) },
  retry: { retries: Number.POSITIVE_INFINITY, minDelayMs: 1, maxDelayMs: 50 },
})
writable.on('error', error => {
  throw error
})
process.on('disconnect', () => process.exit(1))

let allowed = done
let more = () => {}
process.on('message', round => {
  allowed = Number(round)
  more()
})
process.send!('ready')
process.send!(done)
while (done < rounds) {
  if (done >= allowed) await new Promise<void>(resolve => (more = resolve))
  while (done < allowed) {
    const committed = once(writable, 'commit')
    writable.write(rowsOf(done + 1))
    await committed
    process.send!(++done)
  }
}
writable.end()
await once(writable, 'close')
await pool.end()
await new Promise(() => {}) // until the last round of all writers has ended
