import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { BatchTransform, PgBatchWritable } from '../../../lib/index.ts'
import { seededRandom } from '../../support/random.ts'
import { type NumberedRow, partitionOf, rowOf } from '../load/rows.ts'
import { type Line, makeTable } from '../run/report.ts'
import { FaultServer, LOADER } from '../servers/server.ts'

/**
 * One load with a checkpoint into a table without a key, and a server that is killed again and again while it
 * runs.
 *
 *     tsx test/faults/kills/kills.ts [--kills 200] [--rows 2000000] [--seed 1]
 */
export interface KillsPlan {
  readonly kills: number
  readonly rows: number
  readonly seed: number
}

/** A load that takes longer than this, and than this for each kill, hangs. */
const SETTLE_MS = 120_000
const KILL_MS = 5_000

const TABLE = 'killed_target'

export async function loadThroughKills(server: FaultServer, plan: KillsPlan): Promise<Omit<Line, 'cases'>> {
  await server.query(`CREATE TABLE ${TABLE} (n bigint, part int, amount int, note text)`)
  await server.query(`GRANT ALL ON ${TABLE} TO ${LOADER}`)
  const killer = new Killer(server, plan)
  let restarts = -1
  let unknown = 0
  const loading = (async () => {
    for (let over = false; !over; restarts++) {
      try {
        await load(server, plan, killer)
        over = true
      } catch (error) {
        if ((error as { outcome?: string }).outcome === 'unknown') unknown++
        console.error(`The source starts again: ${(error as Error).message}`)
        await sleep(100)
      }
    }
    return 'over' as const
  })()
  const outcome = await Promise.race([
    loading,
    sleep(SETTLE_MS + plan.kills * KILL_MS, 'hung' as const, { ref: false }),
  ])
  await killer.idle // a kill while the rows are counted would only break the counting
  const [counts] = await server.query(
    `SELECT count(*)::int AS stored, count(DISTINCT n)::int AS distinct, coalesce(sum(n), 0)::text AS sum,
       count(*) FILTER (WHERE n < 0 OR n >= ${plan.rows})::int AS unexpected FROM ${TABLE}`,
  )
  const { stored, distinct, unexpected } = counts as { stored: number; distinct: number; unexpected: number }
  await server.query(`DROP TABLE IF EXISTS ${TABLE}`) // asked again when the answer is lost
  return {
    name: 'server killed under load',
    fired: killer.kills,
    sent: plan.rows,
    stored,
    distinct,
    rejected: 0,
    lost: plan.rows - distinct,
    doubled: stored - distinct + unexpected,
    hung: outcome === 'hung' ? 1 : 0,
    unknown,
    restarts,
  }
}

async function load(server: FaultServer, { rows, seed }: KillsPlan, killer: Killer): Promise<void> {
  const source = function* (): Generator<NumberedRow> {
    for (let n = 0; n < rows; n++) yield rowOf(seed, n, false)
  }
  const paced = async function* (items: AsyncIterable<NumberedRow[]>): AsyncGenerator<NumberedRow[]> {
    for await (const batch of items) {
      yield batch
      await killer.reached(Number(batch.at(-1)!.n))
    }
  }
  await pipeline(
    source,
    new BatchTransform<NumberedRow>({ maxCount: 1000 }),
    paced,
    new PgBatchWritable<NumberedRow>({
      connectionString: server.loaderUrl(server.port),
      table: TABLE,
      concurrency: 2,
      statementTimeoutMs: 20_000,
      commitTimeoutMs: 20_000,
      retry: { retries: 1000, minDelayMs: 10, maxDelayMs: 200 },
      checkpoint: {
        name: TABLE,
        position: ({ n }) => ({ partition: String(partitionOf(Number(n))), offset: Number(n) }),
      },
    }),
  )
}

/** Kills the server each time that the source has come a step further, one kill after the other. */
class Killer {
  kills = 0
  readonly #server: FaultServer
  readonly #plan: KillsPlan
  readonly #random
  #last: Promise<void> = Promise.resolve()
  #planned = 0

  constructor(server: FaultServer, plan: KillsPlan) {
    this.#server = server
    this.#plan = plan
    this.#random = seededRandom(plan.seed)
  }

  /** Resolves when no kill is under way. */
  get idle(): Promise<void> {
    return this.#last
  }

  /** The source has given out row `n`; waits only while an earlier kill is not over yet. */
  async reached(n: number): Promise<void> {
    const { rows, kills } = this.#plan
    if (this.#planned >= kills || n < ((this.#planned + 0.5) * rows) / kills) return
    this.#planned++
    await this.#last
    this.#last = this.#kill()
  }

  /** Soon, not at once: at any moment of a transaction. */
  async #kill(): Promise<void> {
    await sleep(this.#random.integer(0, 60))
    await this.#server.killAndRestart()
    this.kills++
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '200' },
      rows: { type: 'string', default: '2000000' },
      seed: { type: 'string', default: '1' },
    },
  })
  const started = performance.now()
  const server = await FaultServer.start()
  const plan = { kills: Number(values.kills), rows: Number(values.rows), seed: Number(values.seed) }
  const line = await loadThroughKills(server, plan).finally(() => server.stop())
  const failed = line.lost + line.doubled + line.hung > 0 || line.fired < plan.kills
  console.log(makeTable([line]))
  console.log(`seed ${values.seed}, ${((performance.now() - started) / 1000).toFixed(0)} s`)
  console.log(failed ? '0 passed, 1 failed' : '1 passed, 0 failed')
  process.exit(failed ? 1 : 0)
}
