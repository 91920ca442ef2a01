import type { BenchContext } from '../support/bench.ts'
import type { MarkdownTable } from '../support/markdown.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import type { CrossoverSample, Kind } from './crossover-run.ts'

const RUN = new URL('./crossover-run.ts', import.meta.url)
const SIZES = [1, 2, 4, 8, 12, 16, 20, 25, 32, 40, 50, 75, 100, 150, 200, 250, 300, 500]
const QUICK_SIZES = [1, 10, 25, 50, 100, 300]
const BATCHES = 50
const QUICK_BATCHES = 8

/** Batches of one size that a process times, for each method. */
export function batchesOfASize(quick: boolean): number {
  return quick ? QUICK_BATCHES : BATCHES
}

export interface CrossoverOptions {
  readonly repeats: number
  readonly quick: boolean
  readonly server: string
  readonly measure: BenchContext['measure']
  readonly log: BenchContext['log']
}

/** Measures from how many rows a single batch is committed sooner by COPY. */
export async function measureCrossover({
  repeats,
  quick,
  server,
  measure,
  log,
}: CrossoverOptions): Promise<MarkdownTable[]> {
  const sizes = quick ? QUICK_SIZES : SIZES
  const rounds: CrossoverSample[][] = []
  for (let round = 1; round <= repeats; round++) {
    const task = { connectionString: server, sizes, batches: batchesOfASize(quick) }
    rounds.push(await measure<typeof import('./crossover-run.ts')>(RUN, task))
    log(`  ${round}/${repeats} single batches`)
  }
  return [
    crossoverTable('plain', 'INSERT … VALUES', 'COPY', sizes, rounds),
    crossoverTable('four shapes', 'INSERT … VALUES, four', 'COPY, four', sizes, rounds),
    crossoverTable(
      'upsert',
      'INSERT … VALUES … ON CONFLICT',
      'COPY to a staging table, merge',
      sizes,
      rounds,
    ),
  ]
}

function crossoverTable(
  kind: Kind,
  insertTitle: string,
  copyTitle: string,
  sizes: readonly number[],
  rounds: readonly (readonly CrossoverSample[])[],
): MarkdownTable {
  const of = (batchRows: number, value: 'insertMs' | 'copyMs' | 'ratio'): number[] =>
    rounds.map(samples => samples.find(one => one.kind === kind && one.batchRows === batchRows)![value])
  const ratios = sizes.map(size => median(of(size, 'ratio')))
  const wins = firstLastingWin(sizes, ratios)
  return {
    title: `One batch alone, ${kind}: milliseconds from write to committed`,
    header: ['rows', insertTitle, copyTitle, 'copy / insert'],
    rows: sizes.map(size => [
      String(size),
      showSummary(summarize(of(size, 'insertMs'))),
      showSummary(summarize(of(size, 'copyMs'))),
      showSummary(summarize(of(size, 'ratio'))),
    ]),
    remark: wins
      ? `COPY is faster from ${wins} rows on. The lowest ratio is ${significant(Math.min(...ratios))}.`
      : 'COPY is not faster at any of these sizes.',
  }
}

/** Returns the size from which the ratio stays below 1. */
function firstLastingWin(sizes: readonly number[], ratios: readonly number[]): number | undefined {
  const lastLoss = ratios.findLastIndex(ratio => ratio >= 1)
  return sizes[lastLoss + 1]
}
