import type { BenchContext } from '../support/bench.ts'
import type { LineChart } from '../support/chart.ts'
import { interleaved, type Samples } from '../support/interleaved.ts'
import type { MarkdownTable } from '../support/markdown.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import { type MethodName, WRITING } from './methods.ts'

const RUN = new URL('./grid-run.ts', import.meta.url)
const METHODS = Object.keys(WRITING) as MethodName[]
const SIZES = [1, 10, 25, 50, 100, 1000, 5000, 10_000, 50_000]
const QUICK_SIZES = [10, 100, 1000, 10_000]
const CONCURRENCIES = [1, 2, 3]
const QUICK_CONCURRENCIES = [1, 2]

export interface Cell {
  readonly method: MethodName
  readonly batchRows: number
  readonly concurrency: number
}

export interface GridOptions {
  readonly rows: number
  readonly repeats: number
  readonly quick: boolean
  readonly server: string
  readonly measure: BenchContext['measure']
  readonly log: BenchContext['log']
}

/** Measures rows a second by method, batch size and concurrency. */
export async function measureGrid({
  rows,
  repeats,
  quick,
  server,
  measure,
  log,
}: GridOptions): Promise<{ tables: MarkdownTable[]; chart: LineChart }> {
  const sizes = quick ? QUICK_SIZES : SIZES
  const concurrencies = quick ? QUICK_CONCURRENCIES : CONCURRENCIES
  const cells = METHODS.flatMap(method =>
    sizes.flatMap(batchRows => concurrencies.map(concurrency => ({ method, batchRows, concurrency }))),
  )
  const samples = await interleaved(
    cells,
    repeats,
    cell =>
      measure<typeof import('./grid-run.ts')>(RUN, {
        ...cell,
        connectionString: server,
        rows: rowsOf(cell, rows),
      }),
    (round, { method, batchRows, concurrency }, rate) =>
      log(
        `  ${round}/${repeats} ${method} ${batchRows} × ${concurrency}: ${significant(rate / 1000)} thousand rows/s`,
      ),
  )
  return {
    tables: METHODS.map(method => gridTable(method, sizes, concurrencies, samples)),
    chart: gridChart(sizes, samples),
  }
}

/**
 * Small batches and inserts are slow, and their rate shows with fewer rows. Three lanes get at least three
 * batches.
 */
function rowsOf({ method, batchRows }: Cell, rows: number): number {
  const share = method === 'insert' ? 1 / 6 : 1
  const slow = Math.min(1, Math.max(1 / 60, batchRows / 1000))
  return Math.max(Math.round(rows * Math.min(share, slow)), Math.min(rows, 3 * batchRows))
}

function gridTable(
  method: MethodName,
  sizes: readonly number[],
  concurrencies: readonly number[],
  samples: Samples<Cell, number>,
): MarkdownTable {
  const show = (batchRows: number, concurrency: number): string =>
    showSummary(summarize(ratesOf(samples, { method, batchRows, concurrency })), 1000)
  return {
    title: `${method}: thousand rows a second`,
    header: ['rows in a batch', ...concurrencies.map(concurrency => `concurrency ${concurrency}`)],
    rows: sizes.map(size => [
      size.toLocaleString('en'),
      ...concurrencies.map(concurrency => show(size, concurrency)),
    ]),
  }
}

/** Only concurrency 2: three lines can be read, nine cannot. */
const CHARTED_CONCURRENCY = 2

function gridChart(sizes: readonly number[], samples: Samples<Cell, number>): LineChart {
  return {
    kind: 'lines',
    title: 'Rate by method and batch size',
    subtitle: `thousand rows a second at concurrency ${CHARTED_CONCURRENCY}; more is better`,
    x: { title: 'rows in a batch', scale: 'log' },
    y: { title: 'thousand rows a second' },
    series: METHODS.map(method => ({
      name: method,
      points: sizes.map(batchRows => {
        const rates = ratesOf(samples, { method, batchRows, concurrency: CHARTED_CONCURRENCY })
        return [batchRows, median(rates) / 1000]
      }),
    })),
  }
}

function ratesOf(samples: Samples<Cell, number>, wanted: Cell): readonly number[] {
  for (const [cell, rates] of samples) {
    const { method, batchRows, concurrency } = cell
    if (method === wanted.method && batchRows === wanted.batchRows && concurrency === wanted.concurrency) {
      return rates
    }
  }
  throw new Error(`No run of ${JSON.stringify(wanted)}`)
}
