import { spawn } from 'node:child_process'
import { runCommand } from '../../../lib/cli/run.ts'
import type { Interruption } from '../../../lib/cli/signals.ts'
import { type BuiltCommand, buildCommand } from '../../support/processes/build-command.ts'
import { testTerminal } from '../../support/processes/terminal.ts'
import { testServer } from '../../support/servers/database.ts'
import { withKeptSessions } from '../../support/servers/kept-sessions.ts'
import { IS_THOROUGH } from '../../support/thorough.ts'

/**
 * Built once, when a test first runs it: the published command starts in a quarter of the time that `tsx`
 * takes.
 */
let command: BuiltCommand | undefined
process.once('exit', () => command?.remove())

/** What a shell runs to start the command. */
export function commandLine(): string {
  command ??= buildCommand()
  return `${process.execPath} ${command.main}`
}

/** The lines that loads of plain CSV files print. */
const PLAIN_DIALECTS = /: (commas between fields|one column), a header \(see --delimiter\)/

/** What is printed beside the line about a plain dialect, which tests of other things do not repeat. */
function withoutPlainDialect(text: string): string {
  return text.replace(/^.*\n/gm, line => (PLAIN_DIALECTS.test(line) ? '' : line))
}

export interface Ended {
  status: number | null
  stdout: string
  stderr: string
}

export interface Running {
  readonly process: ReturnType<typeof spawn>
  readonly ended: Promise<Ended>
}

/** Runs `pg-batch` as a shell would, in an environment that names no database but the given one. */
export function start(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input?: string | Buffer,
  printed: { showsDialect?: boolean } = {},
): Running {
  command ??= buildCommand()
  const child = spawn(process.execPath, [command.main, ...words], {
    env: { ...cleanEnv(), XDG_CACHE_HOME: command.cache, ...env },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', text => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', text => (output.stderr += text))
  child.stdin.on('error', () => {}) // the command may end without having read it all
  if (input !== undefined) child.stdin.end(input)
  running.add(child)
  child.on('close', () => running.delete(child))
  const end = new Promise<Ended>(resolve =>
    child.on('close', status => resolve(ended(status, output, printed))),
  )
  return { process: child, ended: end }
}

/** A test that failed half-way must not leave its command behind, which would keep the test run alive. */
const running = new Set<ReturnType<typeof spawn>>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Runs `pg-batch` to its end. A process takes ten times as long as most loads, so that the command runs in
 * this one if it can. CI runs each in a process once.
 */
export function run(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input: string | Buffer = '',
  printed: { showsDialect?: boolean } = {},
): Promise<Ended> {
  const way = IS_THOROUGH || needsProcess(words, env) ? runProcess : runHere
  return way(words, env, input, printed)
}

/** Runs `pg-batch` to its end in this process, from its sources. */
export async function runHere(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input: string | Buffer = '',
  printed: { showsDialect?: boolean } = {},
): Promise<Ended> {
  const terminal = testTerminal(env, input)
  const { connectionString } = await testServer()
  const status = await withKeptSessions(connectionString, () => runCommand(words, terminal, UNINTERRUPTED))
  return ended(status, terminal.printed, printed)
}

/** Runs `pg-batch` to its end in a process of its own, as it is published. */
export function runProcess(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input: string | Buffer = '',
  printed: { showsDialect?: boolean } = {},
): Promise<Ended> {
  return start(words, env, input, printed).ended
}

const UNINTERRUPTED: Interruption = { signal: new AbortController().signal, status: () => undefined }

/** Threads and the embedded server are those of the build. pg and Node.js read the process's environment. */
function needsProcess(words: readonly string[], env: NodeJS.ProcessEnv): boolean {
  const startsThreads = words.some((word, at) => word === '--workers' && words[at + 1] !== '1')
  if (startsThreads || words[0] === 'server' || words.includes('--embedded')) return true
  return Object.keys(env).some(name => name !== 'DATABASE_URL')
}

function ended(
  status: number | null,
  { stdout, stderr }: { stdout: string; stderr: string },
  { showsDialect = false }: { showsDialect?: boolean },
): Ended {
  return { status, stdout, stderr: showsDialect ? stderr : withoutPlainDialect(stderr) }
}

function cleanEnv(): NodeJS.ProcessEnv {
  // Node.js reads these certificates at each start, which takes as long as the rest of it
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(PG|DATABASE_URL$|NODE_EXTRA_CA_CERTS$)/.test(name),
  )
  return Object.fromEntries(entries)
}
