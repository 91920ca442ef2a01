import { spawn } from 'node:child_process'

export interface Finished {
  /** The exit status; null when a signal ended the process. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
  /** After this long the process and all that it started are killed. */
  timeoutMs?: number
}

/** Runs a command to its end, without standard input, and keeps what it printed. */
export function run(
  command: string,
  args: readonly string[],
  { cwd, env, timeoutMs = 110_000 }: RunOptions,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: env ?? outerEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a process group of its own, so that all of it can be ended
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text
    })
    const timer = setTimeout(() => {
      stderr += `\nkilled: not done after ${timeoutMs} ms`
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, timeoutMs)
    child.once('error', error => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', status => {
      clearTimeout(timer)
      resolve({ status, stdout, stderr })
    })
  })
}

/** Like `run`, but throws, with what the command printed, when it does not end well. */
export async function runWell(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  const { status, stdout, stderr } = await run(command, args, options)
  if (status !== 0) {
    throw new Error(`${[command, ...args].join(' ')} ended with status ${status}\n${stdout}\n${stderr}`)
  }
  return stdout
}

/**
 * The environment without what the surrounding `npm test` put into it: an inner npm would take that for its
 * own settings and work in the outer folder.
 */
export function outerEnvironment(): NodeJS.ProcessEnv {
  const kept = /^npm_config_(registry|cache|userconfig|globalconfig|cafile)$/i
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !(/^npm_/i.test(name) && !kept.test(name)) && name !== 'INIT_CWD' && name !== 'NODE_OPTIONS',
    ),
  )
}
