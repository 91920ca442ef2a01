import type { Chart } from './chart.ts'
import type { measureInChild } from './child.ts'
import type { MarkdownTable } from './markdown.ts'
import type { TableName } from './tables/index.ts'

/**
 * One question, and the measurement that answers it. Its folder, bench/<name>/, holds its RESULTS.md, too.
 */
export interface Bench {
  readonly name: string
  /** The question, in one line. */
  readonly question: string
  /** Runs of each case, when the command line does not say. */
  readonly repeats: number
  /** About how long a full run takes on two cores, from the published rates. */
  readonly minutes: number
  /** Whether `--table` can send it to another table than the one of all benches. */
  readonly anyTable?: true
  run(context: BenchContext): Promise<BenchResults>
}

/** What a benchmark gets from the command line and from the frame. */
export interface BenchContext {
  /** `--rows`; undefined: the benchmark's own number. */
  readonly rows: number | undefined
  readonly repeats: number
  /** A short look: fewer rows and fewer cases, and nothing is published. */
  readonly quick: boolean
  readonly table: TableName
  /** `--only`: words, for benchmarks that have groups of cases. Undefined: all of them. */
  readonly only?: readonly string[]
  /** Starts the server at the first call, so that a benchmark without a database runs without a server. */
  connectionString(): Promise<string>
  /** Calls `measure` of a module in a process of its own. */
  readonly measure: typeof measureInChild
  /** The same without `tsx`, whose memory would be measured too. */
  readonly measureCompiled: typeof measureInChild
  /** Reports progress. */
  log(line: string): void
}

/** What a benchmark publishes. The frame adds the machine, and keeps the findings. */
export interface BenchResults {
  /** What the figures do not show. */
  readonly caveat: string
  /** How it was measured, as Markdown. */
  readonly method: string
  readonly tables: readonly MarkdownTable[]
  /** The chart in bench/<name>/<name>.svg. */
  readonly chart: Chart
}

/** Thrown by a benchmark that cannot run on this machine; the message says why. */
export class BenchUnavailable extends Error {
  override readonly name = 'BenchUnavailable'
}
