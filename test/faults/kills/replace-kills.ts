import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { buildCommand } from '../../support/processes/build-command.ts'
import { FaultServer, LOADER } from '../servers/server.ts'

/**
 * `pg-batch load --replace` of two files in turn, killed (SIGKILL) at points that are spread evenly over its
 * running time, while readers look at the table: one at all of it, and others at single rows, each every
 * millisecond. After each kill the table holds the old rows or the new ones, and readers have seen nothing
 * else. None of them has waited for a lock: a replacement takes none that keeps readers out.
 *
 *     tsx test/faults/kills/replace-kills.ts [--kills 200] [--rows 30000]
 */
const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, rows: { type: 'string', default: '30000' } },
})
const plan = { kills: Number(values.kills), rows: Number(values.rows) }
const command = buildCommand()
process.once('exit', () => command.remove())

const QUICK_READERS = 4
/** No lock of a replacement keeps a reader out, not even for this long. */
const LOCK_TIMEOUT_MS = 10

/** The running time is measured again after so many kills: other work on the machine comes and goes. */
const RUNS_OF_A_MEASURE = 20

/** Half of the keys of each file are in the other one, with another note. */
const FILES = [
  { note: 'even', first: 1 },
  { note: 'odd', first: 1 + plan.rows / 2 },
] as const

const started = performance.now()
const folder = await mkdtemp(join(tmpdir(), 'pg-batch-replace-kills-'))
const server = await FaultServer.start()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => server.stop().finally(() => process.exit(130)))
}
const complaints: string[] = []
const ends = { old: 0, new: 0 }
let looks = 0
let glances = 0
let reading = true
try {
  for (const { note, first } of FILES) {
    const lines = Array.from({ length: plan.rows }, (_, n) => `${first + n},${note}\n`)
    await writeFile(pathOf(note), `id,note\n${lines.join('')}`)
  }
  // autovacuum takes a lock of its own to cut off the empty end of a table, and readers wait for it
  await server.query('CREATE TABLE rates (id int PRIMARY KEY, note text) WITH (vacuum_truncate = off)')
  await server.query(`GRANT ALL ON rates TO ${LOADER}`)
  let current = 0
  await replaceBy(FILES[0].note)
  const readers = [read(), ...Array.from({ length: QUICK_READERS }, readSingleRows)]
  const readingSince = performance.now()
  let wholeMs = 0
  for (let kill = 0; kill < plan.kills; kill++) {
    if (kill % RUNS_OF_A_MEASURE === 0) {
      current = 1 - current
      const begun = performance.now()
      await replaceBy(FILES[current]!.note)
      wholeMs = performance.now() - begun
    }
    const next = 1 - current
    // beyond the end, so that some kills come too late
    const atMs = (wholeMs * 1.3 * (kill + 1)) / plan.kills
    await replaceBy(FILES[next]!.note, atMs)
    await settled()
    const notes = await notesStored()
    if (notes === stateOf(next)) {
      ends.new++
      current = next
    } else if (notes === stateOf(current)) ends.old++
    else complaints.push(`after the kill at ${atMs.toFixed(0)} ms: ${notes}`)
    if ((kill + 1) % 20 === 0) console.log(`${kill + 1} kills, ${JSON.stringify(ends)}, ${seconds()} s`)
  }
  reading = false
  await Promise.all(readers)
  const hertz = glances / ((performance.now() - readingSince) / 1000)
  for (const complaint of complaints) console.error(`FAILED ${complaint}`)
  const failed =
    complaints.length > 0 || ends.old === 0 || ends.new === 0 || looks < plan.kills || glances < looks
  console.log(
    `${plan.kills} kills of ${plan.rows} rows: ${ends.old} left the old rows, ${ends.new} the new ones; ` +
      `${looks} looks and ${glances} glances (${hertz.toFixed(0)} a second) saw nothing else; ${seconds()} s; ${failed ? '0 passed, 1 failed' : '1 passed, 0 failed'}`,
  )
  process.exitCode = failed ? 1 : 0
} finally {
  reading = false
  await server.stop()
  await rm(folder, { recursive: true })
}

function pathOf(note: string): string {
  return join(folder, `${note}.csv`)
}

function stateOf(file: number): string {
  return `${FILES[file]!.note} ${plan.rows}`
}

/** Runs the command until it ends, or is killed. */
async function replaceBy(note: string, killAtMs?: number): Promise<void> {
  const words = ['load', pathOf(note), '--table', 'rates', '--replace', '--quiet']
  const child = spawn(process.execPath, [command.main, ...words], {
    env: { ...process.env, DATABASE_URL: server.loaderUrl(server.port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise<number>(resolve => child.once('exit', code => resolve(code ?? -1)))
  if (killAtMs !== undefined) {
    await Promise.race([ended, sleep(killAtMs)])
    child.kill('SIGKILL')
  }
  const code = await ended
  if (code !== 0 && child.signalCode !== 'SIGKILL') complaints.push(`the command ended with ${code}`)
}

/** Waits until the server has noticed that the command is gone. */
async function settled(): Promise<void> {
  const text = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'pg-batch'`
  while (((await server.query(text))[0] as { n: number }).n > 0) await sleep(2)
}

async function notesStored(): Promise<string> {
  const rows = await server.query('SELECT note, count(*)::int AS n FROM rates GROUP BY 1 ORDER BY 1')
  return rows.map(row => `${row.note} ${row.n}`).join(', ')
}

/** Looks at the table until the end. */
async function read(): Promise<void> {
  const states = FILES.map((_, file) => stateOf(file))
  for (; reading; looks++) {
    const notes = await notesStored()
    if (!states.includes(notes)) complaints.push(`a reader saw: ${notes}`)
    await sleep(1)
  }
}

/** Looks at single rows that both files have, until the end. */
async function readSingleRows(_: unknown, reader: number): Promise<void> {
  const client = new pg.Client({
    connectionString: server.connectionString,
    options: `-c lock_timeout=${LOCK_TIMEOUT_MS}`,
  })
  await client.connect()
  const common = plan.rows / 2
  try {
    for (let n = reader; reading; n += 7919) {
      const text = 'SELECT note FROM rates WHERE id = $1'
      const { rows } = await client.query({ name: 'glance', text, values: [FILES[1].first + (n % common)] })
      if (rows.length !== 1) complaints.push(`${rows.length} rows of one key`)
      glances++
      await sleep(1)
    }
  } catch (error) {
    complaints.push(`a reader failed: ${error}`)
  } finally {
    await client.end()
  }
}

function seconds(): string {
  return ((performance.now() - started) / 1000).toFixed(0)
}
