import { spawn } from 'node:child_process'
import { type BuiltCommand, buildCommand } from '../../support/build-command.ts'

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
  { showsDialect = false } = {},
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
  const ended = new Promise<Ended>(resolve =>
    child.on('close', status =>
      resolve({ status, ...output, ...(showsDialect ? {} : { stderr: withoutPlainDialect(output.stderr) }) }),
    ),
  )
  running.add(child)
  child.on('close', () => running.delete(child))
  return { process: child, ended }
}

/** A test that failed half-way must not leave its command behind, which would keep the test run alive. */
const running = new Set<ReturnType<typeof spawn>>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

export function run(
  words: readonly string[],
  env?: NodeJS.ProcessEnv,
  input?: string | Buffer,
  printed: { showsDialect?: boolean } = {},
): Promise<Ended> {
  return start(words, env, input ?? '', printed).ended
}

function cleanEnv(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/^(PG|DATABASE_URL$)/.test(name))
  return Object.fromEntries(entries)
}
