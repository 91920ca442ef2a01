import type { Bench } from '../support/bench.ts'
import { interleaved } from '../support/interleaved.ts'
import { describeRows } from '../support/rows.ts'
import { median, showSummary, summarize } from '../support/statistics.ts'
import type { MemorySample } from './run.ts'

const RUN = new URL('./run.ts', import.meta.url)
const ROWS = 10_000_000
const QUICK_ROWS = 500_000
const SAMPLES = 100
const MEGABYTE = 2 ** 20
const LIMIT_MB = 200

interface Case {
  readonly label: string
  readonly batchRows: number
  readonly concurrency: number
}

const CASES: readonly Case[] = [
  { label: 'batches of 1,000, concurrency 1', batchRows: 1000, concurrency: 1 },
  { label: 'batches of 10,000, concurrency 2', batchRows: 10_000, concurrency: 2 },
]

export const bench: Bench = {
  name: 'memory',
  question: 'Does memory stay flat, however many rows there are?',
  repeats: 3,
  minutes: 3,
  async run({ rows: wanted, repeats, quick, connectionString, measureCompiled, log }) {
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const server = await connectionString()
    const samples = await interleaved(
      CASES,
      repeats,
      ({ batchRows, concurrency }) =>
        measureCompiled<typeof import('./run.ts')>(RUN, {
          connectionString: server,
          rows,
          batchRows,
          concurrency,
          samples: SAMPLES,
        }),
      (round, { label }, { peakBytes }) =>
        log(`  ${round}/${repeats} ${label}: at most ${Math.round(peakBytes / MEGABYTE)} MB resident`),
    )
    const megabytes = (one: Case, of: (sample: MemorySample) => number): string =>
      showSummary(summarize(samples.get(one)!.map(of)), MEGABYTE)
    return {
      caveat:
        'Resident memory is what the operating system has given and not yet taken back: it holds what a garbage collection has freed, ' +
        'and Node.js itself, which is the first column. Larger rows make it grow with the size of a batch.',
      method: `${describeRows()} ${rows.toLocaleString('en')} rows, made one by one as the pipeline takes
them, into a table without an index. Each run is a process of its own with default options of Node.js. It runs
JavaScript that the compiler made as it does for the package, since \`tsx\` would add some 45 MB of its own.
Resident memory is read at up to ${SAMPLES} commits on the way; the greatest is the operating system's own
account, which misses nothing in between. The table's rows are counted. The cases take turns; the figures are
the median of ${repeats} such rounds, the least and the greatest in brackets.`,
      tables: [
        {
          title: 'Resident memory, MB',
          header: ['case', 'before the first row', 'first tenth', 'last tenth', 'at most'],
          rows: CASES.map(one => [
            one.label,
            megabytes(one, ({ idleBytes }) => idleBytes),
            megabytes(one, sample => tenth(sample, 'first', rows)),
            megabytes(one, sample => tenth(sample, 'last', rows)),
            megabytes(one, ({ peakBytes }) => peakBytes),
          ]),
          remark: 'A tenth is the median of the points in the first or the last tenth of the rows.',
        },
      ],
      chart: {
        kind: 'lines',
        title: `Resident memory over ${rows.toLocaleString('en')} rows`,
        subtitle: 'MB of the process, Node.js included; the last round',
        x: { title: 'rows committed', scale: 'linear' },
        y: { title: 'MB' },
        series: CASES.map(one => ({
          name: one.label,
          points: samples
            .get(one)!
            .at(-1)!
            .points.map(({ rows, rssBytes }) => [rows, rssBytes / MEGABYTE]),
        })),
        limit: { label: `${LIMIT_MB} MB`, value: LIMIT_MB },
      },
    }
  },
}

function tenth({ points, idleBytes }: MemorySample, which: 'first' | 'last', rows: number): number {
  const inside = points.filter(point =>
    which === 'first' ? point.rows <= rows / 10 : point.rows > rows * 0.9,
  )
  return inside.length > 0
    ? median(inside.map(({ rssBytes }) => rssBytes))
    : (points[0]?.rssBytes ?? idleBytes)
}
