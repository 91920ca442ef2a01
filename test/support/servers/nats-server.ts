import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../../lib/embedded/embedded-server.ts'
import { findProgram } from '../processes/find-program.ts'

/** A NATS server with JetStream, on the loopback address. */
export interface NatsServer {
  readonly url: string
  /** Ends it and deletes its data. */
  stop(): Promise<void>
}

const START_MS = 10_000

/**
 * Starts the program `nats-server` with fresh data.
 * @throws when it is not installed, or does not start
 */
export async function startNats(): Promise<NatsServer> {
  const program = findProgram('nats-server')
  const folder = await mkdtemp(join(tmpdir(), 'pg-batch-nats-'))
  const port = await freePort()
  const args = ['--jetstream', '--addr', '127.0.0.1', '--port', String(port), '--store_dir', folder]
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const stopAtExit = (): void => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', stopAtExit)
  const exited = once(child, 'exit')
  let words = ''
  const ready = new Promise<boolean>(resolve => {
    child.stderr.setEncoding('utf8').on('data', text => {
      words += text
      if (words.includes('Server is ready')) resolve(true)
    })
    exited.then(() => resolve(false))
    setTimeout(resolve, START_MS, false).unref()
  })
  const stop = async (): Promise<void> => {
    process.off('exit', stopAtExit)
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await exited
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  if (!(await ready)) {
    await stop()
    throw new Error(`nats-server did not start: ${words.trim()}`)
  }
  return { url: `nats://127.0.0.1:${port}`, stop }
}
