import type { Chart } from './chart.ts'
import type { measureInChild } from './child.ts'
import type { MarkdownTable } from './markdown.ts'
import type { TableName } from './tables/index.ts'

/** One question, and the measurement that answers it. Its folder, bench/<name>/, holds its RESULTS.md, too. */
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

/** What the command line asks of a bench, and what it may use. */
export interface BenchContext {
  /** Rows that were asked for; a bench has a number of its own otherwise. */
  readonly rows: number | undefined
  readonly repeats: number
  /** A look of about a minute: fewer rows and fewer cases, and nothing is published. */
  readonly quick: boolean
  readonly table: TableName
  /** Starts the server when it is first asked for, so that a bench without a database has none running beside it. */
  connectionString(): Promise<string>
  /** Calls `measure` of a module in a process of its own. */
  readonly measure: typeof measureInChild
  /** The same without `tsx` in that process, whose memory is then only what is to be measured. */
  readonly measureCompiled: typeof measureInChild
  /** Tells what is going on. */
  log(line: string): void
}

/** What a bench publishes; the frame adds the machine, and keeps the findings. */
export interface BenchResults {
  /** What the figures do not say; read first. */
  readonly caveat: string
  /** How it was measured, as Markdown. */
  readonly method: string
  readonly tables: readonly MarkdownTable[]
  /** The picture of it, for bench/<name>/<name>.svg. */
  readonly chart: Chart
}

/** A bench that cannot run here; its message says why. */
export class BenchUnavailable extends Error {
  override readonly name = 'BenchUnavailable'
}
