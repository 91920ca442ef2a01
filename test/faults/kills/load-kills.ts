import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { numbered } from '../../support/parquet.ts'
import { buildCommand } from '../../support/processes/build-command.ts'
import { type Random, seededRandom } from '../../support/random.ts'
import { FaultServer, LOADER } from '../servers/server.ts'

/**
 * `pg-batch load --resume` of one file into a table without a key, killed again and again at work and run
 * again, and a count after each kill: the rows that are in are the first ones of the file, each of them once.
 *
 *     tsx test/faults/kills/load-kills.ts [--kills 100] [--rows 3000000] [--format csv|parquet] [--seed 1]
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    rows: { type: 'string', default: '3000000' },
    format: { type: 'string', default: 'csv' },
    seed: { type: 'string', default: '1' },
  },
})
const plan = { kills: Number(values.kills), rows: Number(values.rows), format: values.format }
const random = seededRandom(Number(values.seed))
const command = buildCommand()
process.once('exit', () => command.remove())

const started = performance.now()
const folder = await mkdtemp(join(tmpdir(), 'pg-batch-load-kills-'))
const server = await FaultServer.start()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => server.stop().finally(() => process.exit(130)))
}
let kills = 0
try {
  const file = await makeFile(join(folder, `events.${plan.format}`))
  await server.query('CREATE TABLE events (id int, note text)')
  await server.query(`GRANT ALL ON events TO ${LOADER}`)
  const complaints: string[] = []
  for (let status: number | undefined; status === undefined; ) {
    status = await loadOnce(file, random)
    if (status === undefined) kills++
    const { rows, last, sum } = await stored()
    if (rows !== last || sum !== sumTo(rows))
      complaints.push(`${rows} rows up to ${last} after kill ${kills}`)
    if (status) complaints.push(`the command ended with ${status}`)
    if (kills % 10 === 0) console.log(`${kills} kills, ${rows} rows, ${seconds()} s`)
  }
  const [exact] = await server.query(
    'SELECT count(*)::int AS rows, count(DISTINCT id)::int AS distinct FROM events',
  )
  const { rows, distinct } = exact as { rows: number; distinct: number }
  const [lost, doubled] = [plan.rows - distinct, rows - distinct]
  for (const complaint of complaints) console.error(`FAILED ${complaint}`)
  console.log(
    `${plan.format}, ${plan.rows} rows, ${kills} kills: ${rows} stored, ${distinct} distinct, ${lost} lost, ${doubled} doubled`,
  )
  const failed = complaints.length > 0 || lost !== 0 || doubled !== 0 || kills < plan.kills
  console.log(`seed ${values.seed}, ${seconds()} s; ${failed ? '0 passed, 1 failed' : '1 passed, 0 failed'}`)
  process.exitCode = failed ? 1 : 0
} finally {
  await server.stop()
  await rm(folder, { recursive: true })
}

/**
 * Runs the command until it ends, or until it is killed when it has written some rows; undefined: it was
 * killed.
 */
async function loadOnce(file: string, random: Random): Promise<number | undefined> {
  const words = ['load', file, '--table', 'events', '--resume', 'kills', '--quiet']
  const child = spawn(process.execPath, [command.main, ...words], {
    env: { ...process.env, DATABASE_URL: server.loaderUrl(server.port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let over = false
  const ended = new Promise<number>(resolve => child.once('exit', code => resolve(code ?? -1))).finally(
    () => {
      over = true
    },
  )
  if (kills < plan.kills) {
    // the last ones come before the end of the file
    const goal = (await position()) + random.integer(1, Math.floor((plan.rows / plan.kills) * 1.9))
    while (!over && (await position()) < Math.min(goal, plan.rows - (plan.kills - kills) * 1000))
      await sleep(5)
    await Promise.race([ended, sleep(random.integer(0, 20))])
    if (!over) child.kill('SIGKILL')
    const code = await ended
    return child.signalCode === 'SIGKILL' ? undefined : code
  }
  return ended
}

/** The number of the last row that is in. */
async function position(): Promise<number> {
  const [known] = await server.query("SELECT to_regclass('pg_batch_checkpoint') IS NOT NULL AS there")
  if (!known!.there) return 0
  const [row] = await server.query(
    'SELECT coalesce(max(position), 0)::int AS position FROM pg_batch_checkpoint',
  )
  return row!.position as number
}

async function stored(): Promise<{ rows: number; last: number; sum: bigint }> {
  const [row] = await server.query(
    'SELECT count(*)::int AS rows, coalesce(max(id), 0) AS last, coalesce(sum(id), 0)::text AS sum FROM events',
  )
  const { rows, last, sum } = row as { rows: number; last: number; sum: string }
  return { rows, last, sum: BigInt(sum) }
}

function sumTo(n: number): bigint {
  return (BigInt(n) * BigInt(n + 1)) / 2n
}

async function makeFile(path: string): Promise<string> {
  if (plan.format === 'parquet') await writeFile(path, numbered(plan.rows, { rowGroupSize: 400_000 }))
  else await pipeline(Readable.from(csv()), createWriteStream(path))
  return path
}

function* csv(): Generator<string> {
  yield 'id,note\n'
  for (let id = 1; id <= plan.rows; id += 1000) {
    const count = Math.min(1000, plan.rows - id + 1)
    yield Array.from({ length: count }, (_, i) => `${id + i},"row ${id + i}"\n`).join('')
  }
}

function seconds(): string {
  return ((performance.now() - started) / 1000).toFixed(0)
}
