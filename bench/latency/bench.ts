import type { Bench } from '../support/bench.ts'
import { bar, type Tone } from '../support/chart.ts'
import { interleaved } from '../support/interleaved.ts'
import { describeRows } from '../support/rows.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import type { LatencySample } from './run.ts'

const RUN = new URL('./run.ts', import.meta.url)
const ROWS_PER_SECOND = 1000
const ROWS = 20_000
const QUICK_ROWS = 3000

interface Case {
  readonly label: string
  readonly maxWaitMs: number | undefined
}

const CASES: readonly Case[] = [
  ...[10, 50, 100].map(maxWaitMs => ({ label: `pg-batch-streams, maxWaitMs ${maxWaitMs}`, maxWaitMs })),
  { label: 'pg, a row a statement', maxWaitMs: undefined },
]

/** Median and tail of one case are a pair; the other way's are both grey. */
function toneOf({ maxWaitMs }: Case, value: 'p50' | 'p99'): Tone {
  if (maxWaitMs === undefined) return 'other'
  return value === 'p50' ? 'ours' : 'ours, second'
}

export const bench: Bench = {
  name: 'latency',
  question: 'How long does a row of a trickle take until it is committed?',
  repeats: 5,
  minutes: 7,
  async run({ rows: wanted, repeats, quick, connectionString, measure, log }) {
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const server = await connectionString()
    const samples = await interleaved(
      CASES,
      repeats,
      ({ maxWaitMs }) =>
        measure<typeof import('./run.ts')>(RUN, {
          connectionString: server,
          maxWaitMs,
          rows,
          rowsPerSecond: ROWS_PER_SECOND,
        }),
      (round, { label }, { p50, p99 }) =>
        log(`  ${round}/${repeats} ${label}: ${significant(p50)} ms, ${significant(p99)} ms at the 99th`),
    )
    const all = (one: Case, value: keyof LatencySample): number[] =>
      samples.get(one)!.map(sample => sample[value])
    return {
      caveat:
        'Most of a wait is the one that was asked for: rows come evenly, so half of `maxWaitMs` on average before the ' +
        'batch leaves. A busy machine shows in the 99th percentile first.',
      method: `${describeRows()} ${ROWS_PER_SECOND.toLocaleString('en')} rows a second for
${significant(rows / ROWS_PER_SECOND)} s, written one by one when the clock says that they are due, into
\`BatchTransform\` and \`PgBatchWritable\` with default options except \`maxWaitMs\`. A row's time is that
from its write to \`afterCommit\` of its batch. Row by row, for comparison: a prepared INSERT each, through a
pool of 10 connections, until its promise resolves. Each run is a process of its own, which first writes 200
rows untimed; every row is timed, and the table's are counted. The cases take turns; the figures are the
median of ${repeats} such rounds, the least and the greatest in brackets.`,
      tables: [
        {
          title: 'Milliseconds from write to committed',
          header: ['way', 'p50', 'p99', 'longest', 'rows a transaction'],
          rows: CASES.map(one => [
            one.label,
            ...(['p50', 'p99', 'max'] as const).map(value => showSummary(summarize(all(one, value)))),
            significant(rows / median(all(one, 'transactions'))),
          ]),
        },
      ],
      chart: {
        kind: 'bars',
        title: `A trickle of ${ROWS_PER_SECOND.toLocaleString('en')} rows a second`,
        subtitle: 'milliseconds from write to committed; less is better',
        better: 'less',
        bars: CASES.flatMap(one =>
          (['p50', 'p99'] as const).map(value =>
            bar(`${one.label}: ${value}`, toneOf(one, value), all(one, value), { group: one.label }),
          ),
        ),
      },
    }
  },
}
