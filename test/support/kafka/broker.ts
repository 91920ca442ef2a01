import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, isFree } from '../../../lib/embedded/embedded-server.ts'
import { run } from '../processes/run.ts'
import { brokerJars } from './jars.ts'
import { brokerSettings } from './settings.ts'

/** A real Apache Kafka broker, its own controller, on the loopback address. */
export interface KafkaBroker {
  /** Stays the same over `kill` and `start`. */
  readonly bootstrapBrokers: readonly string[]
  /** Process id of the broker that runs now, or ran last. */
  readonly pid: number
  /** Ends the process with SIGKILL and resolves when it is gone. The data stays. */
  kill(): Promise<void>
  /** Starts again what was killed, with the same port and data; resolves once it takes connections. */
  start(): Promise<void>
  /** Ends the broker and deletes its data. */
  stop(): Promise<void>
}

export interface KafkaBrokerOptions {
  /** Further settings of the broker's server.properties, or others for those of settings.ts. */
  settings?: Readonly<Record<string, string | number>>
}

const START_ATTEMPTS = 3
const START_TIMEOUT_MS = 60_000

/** Said by kafka.server.KafkaRaftServer when it takes connections. */
const STARTED = 'Kafka Server started'

/** Short-lived and small: the C1 compiler alone, and the collector with one thread. */
const JAVA_FLAGS = [
  '-Xmx384m',
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
]

/**
 * Starts a broker with fresh data and resolves once it takes connections: about four seconds.
 * @throws when Java 17 or Maven is not there, or the broker does not start
 */
export async function startKafka(options: KafkaBrokerOptions = {}): Promise<KafkaBroker> {
  const jars = await brokerJars()
  for (let attempt = 1; ; attempt++) {
    const ports = { broker: await freePort(), controller: await freePort() }
    try {
      return await startOnPorts(jars, ports, options)
    } catch (error) {
      // another process may have taken the port between the check and the start
      const bothFree = (await isFree(ports.broker)) && (await isFree(ports.controller))
      if (bothFree || attempt === START_ATTEMPTS) throw error
    }
  }
}

async function startOnPorts(
  jars: string,
  ports: { broker: number; controller: number },
  { settings = {} }: KafkaBrokerOptions,
): Promise<KafkaBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-batch-kafka-'))
  const config = join(folder, 'server.properties')
  const java = ['-cp', join(jars, '*'), ...JAVA_FLAGS]
  let broker: ChildProcess | undefined
  const stopAtExit = (): void => {
    broker?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  const end = async (): Promise<void> => {
    if (broker && broker.exitCode === null && broker.signalCode === null) {
      const gone = once(broker, 'exit')
      broker.kill('SIGKILL')
      await gone
    }
  }
  process.once('exit', stopAtExit)
  try {
    const all = { ...brokerSettings(ports, join(folder, 'data')), ...settings }
    await writeFile(
      config,
      Object.entries(all)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    )
    await format(java, config, folder)
    broker = await startProcess(java, config)
  } catch (error) {
    process.off('exit', stopAtExit)
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  return {
    bootstrapBrokers: [`127.0.0.1:${ports.broker}`],
    get pid() {
      return broker?.pid ?? 0
    },
    kill: end,
    async start() {
      await end()
      broker = await startProcess(java, config)
    },
    async stop() {
      process.off('exit', stopAtExit)
      await end() // its data goes with it: nothing is worth a slow farewell
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** Writes the cluster's id into the data directory, which a broker asks for. */
async function format(java: readonly string[], config: string, cwd: string): Promise<void> {
  const clusterId = randomBytes(16).toString('base64url')
  // an id that starts with a dash would look like an option
  const args = ['kafka.tools.StorageTool', 'format', '--cluster-id', `k${clusterId.slice(1)}`, '-c', config]
  const { status, stdout, stderr } = await run('java', [...java, ...args], { cwd, env: process.env }).catch(
    cause => {
      throw javaMissing(cause)
    },
  )
  if (status !== 0)
    throw new Error(`Kafka's data directory could not be made:\n${lastLines(stdout + stderr)}`)
}

async function startProcess(java: readonly string[], config: string): Promise<ChildProcess> {
  const child = spawn('java', [...java, 'kafka.Kafka', config], { stdio: ['ignore', 'pipe', 'pipe'] })
  let words = ''
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
    const listen = (text: string): void => {
      words = (words + text).slice(-20_000)
      if (!words.includes(STARTED)) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout.setEncoding('utf8').on('data', listen)
    child.stderr.setEncoding('utf8').on('data', listen)
    child.once('error', cause => reject(javaMissing(cause)))
    child.once('exit', () => {
      clearTimeout(timer)
      reject(
        new Error(`Kafka's broker did not start, or not within ${START_TIMEOUT_MS} ms:\n${lastLines(words)}`),
      )
    })
  })
  return child
}

function javaMissing(cause: unknown): Error {
  return new Error(
    'The Kafka tests need Java 17 or later, for the broker: `java` could not be run (on Debian: apt-get install openjdk-17-jre-headless)',
    { cause },
  )
}

function lastLines(words: string): string {
  return words.trim().split('\n').slice(-20).join('\n')
}
