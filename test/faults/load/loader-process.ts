import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../../support/random.ts'
import type { FaultCase } from '../cases/cases.ts'
import type { FaultServer } from '../servers/server.ts'
import { type LoadPlan, runLoad } from './load.ts'
import type { Tables } from './tables.ts'

/** What a loading process receives, as JSON in its first argument. */
type ProcessPlan = Pick<LoadPlan, 'url' | 'tables' | 'shape' | 'seed' | 'timeoutMs' | 'leastRows'>

export interface KilledLoads {
  readonly kills: number
  readonly sent: number
  readonly hung: boolean
  /** A process failed, which none may. */
  readonly error?: Error
}

/** Enough for a process that is left alone to be at work for a second or more. */
const ROWS = 8000
/** A process hangs that commits nothing for so long. How long all rows take depends on the machine's load. */
const SILENCE_MS = 30_000

/**
 * Runs the load in a process of its own, which is killed at random moments and started again, until it is
 * through.
 */
export async function loadInProcesses(
  server: FaultServer,
  tables: Tables,
  { shape, seed, kind }: FaultCase,
): Promise<KilledLoads> {
  const random = seededRandom(seed)
  const plan: ProcessPlan = {
    url: server.loaderUrl(server.port),
    tables,
    // slowly, so that there is time to kill it
    shape: { ...shape, retries: 'many', pace: 'trickle' },
    seed,
    timeoutMs: 3000,
    leastRows: ROWS,
  }
  let kills = 0
  while (true) {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(import.meta.url), JSON.stringify(plan)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
    // killed while it is at work, so that there is something to lose: it says when its first rows are in
    const working = new Promise<void>(resolve => child.stdout.once('data', () => resolve()))
    child.stdout.resume()
    const kill = kills < kind.faultsPerCase
    await Promise.race([working, ended])
    const code = await Promise.race([
      ended,
      kill ? sleep(random.integer(0, 400), 'late' as const) : silenceOf(child.stdout),
    ])
    if (code === 0) return { kills, sent: ROWS, hung: false }
    if (code !== 'late') {
      const error = new Error(`The loading process ended with ${code}`)
      return { kills, sent: ROWS, hung: false, error }
    }
    child.kill('SIGKILL')
    await ended
    if (!kill) return { kills, sent: ROWS, hung: true }
    kills++
  }
}

/** Resolves when nothing has come for `SILENCE_MS`. */
function silenceOf(output: Readable): Promise<'late'> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, SILENCE_MS, 'late').unref()
    output.on('data', () => timer.refresh())
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const plan = JSON.parse(process.argv[2]!) as ProcessPlan
  const end = await runLoad({
    ...plan,
    sideEffects: false,
    isOver: () => true,
    onCommit: () => process.stdout.write('.'),
  })
  if (end.error) throw end.error
}
