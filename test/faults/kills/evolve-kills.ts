import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { seededRandom } from '../../support/random.ts'
import { FaultServer, LOADER } from '../servers/server.ts'
import type { EvolvingPlan } from './evolving-writer.ts'

/**
 * Eight processes write into one table with `evolve`, and meet the same new key, and the same wider value, at
 * once, round after round. In each round some of them are killed (SIGKILL) while they are at it, and started
 * again. At the end there is one column for each key, each row is there once, and the server has seen no
 * deadlock.
 *
 *     tsx test/faults/kills/evolve-kills.ts [--kills 40] [--seed 1]
 */
const { values } = parseArgs({
  options: { kills: { type: 'string', default: '40' }, seed: { type: 'string', default: '1' } },
})
const WRITERS = 8
const KILLS_A_ROUND = 2
/** From the new key to the kill, at most: this is about how long a round takes. */
const MAX_DELAY_MS = 60
const ROUND_LIMIT_MS = 60_000
const ROWS = 50
const plan = { kills: Number(values.kills), rounds: Math.ceil(Number(values.kills) / KILLS_A_ROUND) }
const random = seededRandom(Number(values.seed))
const started = performance.now()
const complaints: string[] = []
let round = 0
let fired = 0

/** One of the writers: its process changes with each kill. */
class Writer {
  /** The last round whose rows are committed. */
  committed = 0
  readonly #plan: EvolvingPlan
  #process: ChildProcess | undefined

  constructor(plan: EvolvingPlan) {
    this.#plan = plan
    this.#start()
  }

  /** Lets it write the rows of all rounds up to this one. */
  allow(): void {
    if (this.#process?.connected) this.#process.send(round)
  }

  /** Resolves to true if the process died at work. */
  async kill(): Promise<boolean> {
    const victim = this.#process!
    const exited = new Promise(resolve => victim.once('exit', resolve))
    const wasAtWork = this.committed < round
    victim.kill('SIGKILL')
    await exited
    this.#start()
    return wasAtWork
  }

  stop(): void {
    this.#process?.removeAllListeners('exit').kill('SIGKILL')
  }

  #start(): void {
    const writer = fork(new URL('./evolving-writer.ts', import.meta.url), [JSON.stringify(this.#plan)])
    this.#process = writer
    writer.on('message', message => {
      if (message === 'ready') this.allow()
      else this.committed = Number(message)
    })
    writer.once('exit', (code, signal) => {
      if (signal !== 'SIGKILL') complaints.push(`writer ${this.#plan.number} ended with ${code ?? signal}`)
    })
  }
}

const server = await FaultServer.start()
const writers: Writer[] = []
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => server.stop().finally(() => process.exit(130)))
}
try {
  await server.query(`CREATE TABLE grown (id int); ALTER TABLE grown OWNER TO ${LOADER}`)
  for (let number = 0; number < WRITERS; number++) {
    const { rounds } = plan
    writers.push(new Writer({ url: server.loaderUrl(server.port), number, rounds, rows: ROWS }))
  }
  for (round = 1; round <= plan.rounds && complaints.length === 0; round++) {
    await roundEnds(round === 1 ? 0 : KILLS_A_ROUND)
    if (round % 5 === 0) console.log(`${round} rounds, ${fired} kills, ${seconds()} s`)
  }
  await checkTable()
  if (fired < plan.kills * 0.8) complaints.push(`only ${fired} of ${plan.kills} kills came in time`)
  for (const complaint of complaints) console.error(`FAILED ${complaint}`)
  const all = WRITERS * plan.rounds * ROWS
  console.log(
    `${WRITERS} processes, ${plan.rounds} keys, ${all} rows, ${fired} kills at work; seed ${values.seed}; ` +
      `${seconds()} s; ${complaints.length > 0 ? '0 passed, 1 failed' : '1 passed, 0 failed'}`,
  )
  process.exitCode = complaints.length > 0 ? 1 : 0
} finally {
  for (const writer of writers) writer.stop()
  await server.stop()
}

/** Starts a round, kills some writers in it, and waits until the rows of all of them are committed. */
async function roundEnds(kills: number): Promise<void> {
  const begun = performance.now()
  for (const writer of writers) writer.allow()
  const victims = [...writers].sort(() => random.next() - 0.5).slice(0, kills)
  const dead = victims.map(async victim => {
    await sleep(random.integer(0, MAX_DELAY_MS))
    if (await victim.kill()) fired++
  })
  await Promise.all(dead)
  while (writers.some(({ committed }) => committed < round)) {
    if (complaints.length > 0) return
    if (performance.now() - begun > ROUND_LIMIT_MS) {
      const late = writers.flatMap(({ committed }, number) => (committed < round ? [number] : []))
      complaints.push(`round ${round} hangs: writers ${late.join(', ')} have not committed`)
      return
    }
    await sleep(5)
  }
}

async function checkTable(): Promise<void> {
  const columns = await server.query(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
     WHERE attrelid = 'grown'::regclass AND attnum > 0 ORDER BY attnum`,
  )
  const keys = columns.map(({ name }) => name).filter(name => name !== 'id' && name !== 'wide')
  if (keys.length !== plan.rounds) complaints.push(`${keys.length} columns for ${plan.rounds} keys`)
  const wide = columns.find(({ name }) => name === 'wide')?.type
  if (wide !== 'numeric') complaints.push(`the column that is widened has the type ${wide}`)
  const [counts] = await server.query(
    `SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids,
       (SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()) AS deadlocks
     FROM grown`,
  )
  const all = WRITERS * plan.rounds * ROWS
  const expected = { rows: all, ids: all, deadlocks: 0 }
  if (JSON.stringify(counts) !== JSON.stringify(expected)) {
    complaints.push(`${JSON.stringify(counts)} instead of ${JSON.stringify(expected)}`)
  }
  for (const key of keys) {
    const [{ n } = { n: 0 }] = await server.query(`SELECT count("${key}")::int AS n FROM grown`)
    if (n !== WRITERS * ROWS) complaints.push(`${n} rows have ${key}`)
  }
}

function seconds(): string {
  return ((performance.now() - started) / 1000).toFixed(0)
}
