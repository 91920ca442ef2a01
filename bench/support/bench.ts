import type { Chart } from './chart.ts'
import type { MarkdownTable } from './markdown.ts'

/** One question that is answered by measuring. It lies in bench/<name>/, beside its RESULTS.md. */
export interface Bench {
  readonly name: string
  /** What is asked, in one line. */
  readonly question: string
  /** Runs of each case, when the command line does not say. */
  readonly repeats: number
  run(context: BenchContext): Promise<BenchResults>
}

/** What the command line asks of a bench, and what it may use. */
export interface BenchContext {
  /** Rows that were asked for; a bench has a number of its own otherwise. */
  readonly rows: number | undefined
  readonly repeats: number
  /** A look of about a minute: fewer rows and fewer cases, and nothing is published. */
  readonly quick: boolean
  /** Starts the server when it is first asked for, so that a bench without a database has none running beside it. */
  connectionString(): Promise<string>
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
