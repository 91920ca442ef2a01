import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { settlesWithin, until } from '../../support/until.ts'
import type { SinkOrder, SinkPlan, SinkReady, SinkReport } from './sink-process.ts'

/** What of the repository a sink's process needs. */
export const SINK_PATHS = ['lib', 'test/kafka/proof/sink-process.ts']

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const MAIN = 'test/kafka/proof/sink-process.ts'

/**
 * A start of a process, on a machine that is busy, and a rebalance that waits for a member that was killed.
 */
const PATIENCE_MS = 60_000

/** Sums over all sinks of all processes. A killed process counts with its last report. */
export class Tally {
  readonly #last = new Map<string, SinkReport>()
  kills = 0
  /** The group's latest generation that a member knew of. */
  generations = 0
  /** Why sinks gave up; they were opened again, as a supervisor would. */
  readonly failures: string[] = []
  /** Processes that ended by themselves, which is a fault. */
  readonly crashes: string[] = []

  note(process: number, report: SinkReport): void {
    this.#last.set(`${process}:${report.sink}`, report)
    this.generations = Math.max(this.generations, report.generation)
    if (report.event === 'failed') this.failures.push(report.reason ?? '')
  }

  get received(): number {
    return this.#sum(({ stats }) => stats.messagesReceived)
  }

  get skipped(): number {
    return this.#sum(({ stats }) => stats.rowsSkipped)
  }

  get assignments(): number {
    return this.#sum(({ stats }) => stats.assignments)
  }

  get outages(): number {
    return this.#sum(({ stats }) => stats.outages)
  }

  #sum(count: (report: SinkReport) => number): number {
    return [...this.#last.values()].reduce((sum, report) => sum + count(report), 0)
  }
}

/** One process of the group, which is started again when it was killed. */
export class Member {
  readonly #plan: SinkPlan
  readonly #tally: Tally
  readonly #root: string
  readonly #reports = new EventEmitter<{ report: [SinkReport] }>()
  #child: ChildProcess | undefined
  #ready = false
  #wanted = false
  #last: SinkReport | undefined

  /** @param root where the library lies: this repository, or a copy of it that has been changed */
  constructor(plan: SinkPlan, tally: Tally, root = ROOT) {
    this.#plan = plan
    this.#tally = tally
    this.#root = root
  }

  get isIn(): boolean {
    return this.#wanted
  }

  /** Messages that its present sink has received. */
  get received(): number {
    return this.#last?.stats.messagesReceived ?? 0
  }

  /** Starts the process, so that it can join in no time. */
  async start(): Promise<void> {
    this.#child ??= this.#fork()
    await until('a process to start', () => this.#ready, PATIENCE_MS)
  }

  /** Starts the process if it does not run, and joins; does not wait for it. */
  join(): void {
    this.#wanted = true
    this.#child ??= this.#fork()
    this.#order('join')
  }

  /** Resolves when it has partitions, or has had to do without. */
  async assigned(): Promise<void> {
    await until('a member to be assigned', () => (this.#last?.stats.assignments ?? 0) > 0, PATIENCE_MS)
  }

  /** Resolves when what it had read is written and it has left; the process stays. */
  async leave(): Promise<void> {
    this.#wanted = false
    if (!this.#child) return
    const left = Promise.race([this.#left(), once(this.#child, 'exit')])
    this.#order('leave')
    await settlesWithin(PATIENCE_MS, left)
  }

  /** One listener, and not one for each report: two may come in one tick. */
  #left(): Promise<void> {
    return new Promise(resolve => {
      const listen = ({ event }: SinkReport): void => {
        if (event !== 'left' && event !== 'failed') return
        this.#reports.off('report', listen)
        resolve()
      }
      this.#reports.on('report', listen)
    })
  }

  /** Leaves by SIGKILL. */
  async kill(): Promise<void> {
    this.#wanted = false
    await this.stop()
    this.#tally.kills++
  }

  /** SIGKILL, and a new process that joins at once. */
  async killAndRestart(): Promise<void> {
    await this.kill()
    this.join()
  }

  /** SIGKILL; resolves when the process is gone. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  #order(order: SinkOrder): void {
    if (order === 'join') this.#last = undefined
    this.#child?.send(order)
  }

  #fork(): ChildProcess {
    this.#ready = false
    const child = fork(join(this.#root, MAIN), [JSON.stringify(this.#plan)], {
      cwd: this.#root,
      execArgv: ['--import', 'tsx', '--max-old-space-size=256'],
    })
    child.on('message', (report: SinkReport | SinkReady) => {
      if (report.event === 'ready') {
        this.#ready = true
        return
      }
      this.#last = report
      this.#tally.note(child.pid!, report)
      this.#reports.emit('report', report)
      if (report.event === 'failed' && this.#wanted && child === this.#child) this.#order('join')
    })
    child.once('exit', (code, signal) => {
      if (child !== this.#child) return
      this.#child = undefined
      this.#tally.crashes.push(`a process ended by ${signal ?? `status ${code}`}`)
    })
    return child
  }
}
