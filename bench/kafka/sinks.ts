import { type ChildProcess, fork } from 'node:child_process'
import type { SinkPlan, SinkReport } from './sink-process.ts'

const MAIN = new URL('./sink-process.ts', import.meta.url)

interface Sink {
  readonly child: ChildProcess
  partitions: number
  rows: number
  waitsMs: readonly number[] | undefined
}

/** Processes of one group. */
export class Sinks {
  readonly #sinks: Sink[]
  readonly #partitions: number
  #failure: Error | undefined
  #onReport: () => void = () => {}

  /** @param partitions of the topic, which they share */
  constructor(plan: SinkPlan, processes: number, partitions: number) {
    this.#partitions = partitions
    this.#sinks = Array.from({ length: processes }, () => this.#start(plan))
  }

  #start(plan: SinkPlan): Sink {
    const child = fork(MAIN, [JSON.stringify(plan)])
    const sink: Sink = { child, partitions: 0, rows: 0, waitsMs: undefined }
    child.on('message', (report: SinkReport) => {
      if (report.event === 'assigned') sink.partitions = report.partitions
      else if (report.event === 'committed') sink.rows += report.rows
      else sink.waitsMs = report.waitsMs
      this.#onReport()
    })
    child.once('exit', () => {
      if (!sink.waitsMs) this.#failure = new Error('A sink has ended by itself')
      this.#onReport()
    })
    return sink
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#failure) throw this.#failure
      await new Promise<void>(resolve => {
        this.#onReport = resolve
      })
    }
  }

  get #committed(): number {
    return this.#sinks.reduce((sum, { rows }) => sum + rows, 0)
  }

  /** Resolves when each has its share of the partitions. */
  assigned(): Promise<void> {
    const fairShare = Math.floor(this.#partitions / this.#sinks.length)
    return this.#until(() => this.#sinks.every(({ partitions }) => partitions === fairShare))
  }

  /** Resolves when so many rows are committed, by all of them together. */
  committed(rows: number): Promise<void> {
    return this.#until(() => this.#committed >= rows)
  }

  /** Closes all; resolves to the times of all messages. */
  async close(): Promise<number[]> {
    for (const { child } of this.#sinks) child.send('close')
    await this.#until(() => this.#sinks.every(({ waitsMs }) => waitsMs !== undefined))
    return this.#sinks.flatMap(({ waitsMs }) => [...waitsMs!])
  }

  /** Kills all processes, after a failure. */
  kill(): void {
    for (const { child } of this.#sinks) child.kill('SIGKILL')
  }
}
