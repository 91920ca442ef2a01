import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuiltCommand, buildCommand } from '../../support/processes/build-command.ts'
import type { Database } from '../servers/server.ts'
import { rowOf } from './rows.ts'
import type { Tables } from './tables.ts'

const ROWS = 30_000
/** A command that fails more often than this does not get through at all. */
const RUNS = 5
/** A run that takes longer hangs. */
const RUN_MS = 60_000

let built: BuiltCommand | undefined

/** What came of a load by `pg-batch load --resume`, which is run again after each failure. */
export interface CommandEnd {
  readonly sent: number
  readonly hung: boolean
  readonly restarts: number
  readonly error: Error | undefined
}

/** Loads a file of numbered rows by the command. */
export async function loadByCommand(url: string, { target }: Tables, seed: number): Promise<CommandEnd> {
  if (!built) {
    built = buildCommand()
    process.once('exit', () => built!.remove())
  }
  const folder = await mkdtemp(join(tmpdir(), 'pg-batch-failover-'))
  try {
    const file = join(folder, 'rows.csv')
    await writeFile(file, csv(seed))
    for (let restarts = 0; ; restarts++) {
      const { code, said } = await runOnce(built.main, url, [file, '--table', target, '--resume', target])
      const end = { sent: ROWS, hung: code === 'hung', restarts }
      if (code === 0 || code === 'hung') return { ...end, error: undefined }
      if (restarts === RUNS) return { ...end, error: new Error(said) }
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Has the server wait now and then among the rows, so that the load takes some seconds. */
export async function slowDown(database: Database, { target }: Tables): Promise<void> {
  await database.query(`
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
    CREATE TRIGGER slow BEFORE INSERT ON ${target} FOR EACH ROW
      WHEN (NEW.n % 400 = 0) EXECUTE FUNCTION slow()`)
}

async function runOnce(
  main: string,
  url: string,
  words: readonly string[],
): Promise<{ code: number | 'hung'; said: string }> {
  const child = spawn(process.execPath, [main, 'load', ...words, '--batch-size', '100', '--quiet'], {
    env: { ...process.env, DATABASE_URL: url },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', text => {
    said += text
  })
  let hung = false
  const timer = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, RUN_MS)
  const code = await new Promise<number>(resolve => child.once('close', status => resolve(status ?? -1)))
  clearTimeout(timer)
  return { code: hung ? 'hung' : code, said }
}

function csv(seed: number): string {
  const lines = Array.from({ length: ROWS }, (_, n) => {
    const { part, amount, note } = rowOf(seed, n, false)
    return `${n},${part},${amount},"${note}"\n`
  })
  return `n,part,amount,note\n${lines.join('')}`
}
