import type { Bench } from '../support/bench.ts'
import { bar } from '../support/chart.ts'
import { interleaved } from '../support/interleaved.ts'
import { describeRows } from '../support/rows.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import { DIFFERENT_ROWS, type RowWriterSample, TWO_CONNECTIONS, type Way } from './run.ts'

const RUN = new URL('./run.ts', import.meta.url)
const CALLERS = 1000
const ROWS = 200_000
/** A row a statement is slow: fewer rows take as long. */
const STATEMENT_ROWS = 20_000
const QUICK_ROWS = 5000

interface Case {
  readonly label: string
  readonly way: Way
  /** The way that it is compared with. */
  readonly against: Way
}

const CASES: readonly Case[] = [
  { label: 'pg, a statement a row', way: 'statement', against: 'statement' },
  { label: 'PgRowWriter', way: 'writer', against: 'statement' },
  { label: 'PgRowWriter, two connections', way: 'two writers', against: 'statement' },
  { label: 'pg, a statement a row, RETURNING', way: 'statement returning', against: 'statement returning' },
  { label: 'PgRowWriter, returning', way: 'writer returning', against: 'statement returning' },
  {
    label: 'PgRowWriter, returning, two connections',
    way: 'two writers returning',
    against: 'statement returning',
  },
]

/** Rows that come at a rate of their own: only how long each waits is of interest. */
const PACED: readonly Case[] = [
  { label: 'PgRowWriter, paced', way: 'paced writer', against: 'paced writer' },
  {
    label: 'PgRowWriter, returning, paced',
    way: 'paced writer returning',
    against: 'paced writer returning',
  },
]
const PACED_ROWS = 20_000

export const bench: Bench = {
  name: 'row-writer',
  question: 'How many single rows can callers write who each wait for their row?',
  repeats: 5,
  minutes: 9,
  async run({ rows: wanted, repeats, quick, connectionString, measureCompiled, log }) {
    const server = await connectionString()
    const rowsOf = ({ way }: Case): number => {
      if (wanted ?? quick) return wanted ?? QUICK_ROWS
      if (way.startsWith('paced')) return PACED_ROWS
      return way.startsWith('statement') ? STATEMENT_ROWS : ROWS
    }
    const samples = await interleaved(
      [...CASES, ...PACED],
      repeats,
      one =>
        measureCompiled<typeof import('./run.ts')>(RUN, {
          connectionString: server,
          way: one.way,
          rows: rowsOf(one),
          callers: CALLERS,
        }),
      (round, { label }, { rowsPerSecond, p99 }) =>
        log(
          `  ${round}/${repeats} ${label}: ${significant(rowsPerSecond)} rows/s, p99 ${significant(p99)} ms`,
        ),
    )
    const all = (one: Case, value: keyof RowWriterSample): number[] =>
      samples.get(one)!.map(sample => sample[value])
    const rateOf = (way: Way): number => median(all(CASES.find(one => one.way === way)!, 'rowsPerSecond'))
    return {
      caveat:
        'The rate of a statement a row is bounded by how fast the disk confirms a COMMIT: the slower it is, the ' +
        'more a shared batch gains.',
      method: `${describeRows()} ${CALLERS.toLocaleString('en')} callers each write a row, await its promise,
and write the next one: a copy of one of ${DIFFERENT_ROWS.toLocaleString('en')} rows, with an id of its own. A statement a row: a prepared INSERT through a pool of 10 connections. \`PgRowWriter\` has
its default options, and so one connection; on two connections a transaction takes ${TWO_CONNECTIONS.maxCount} rows, so that
one is written while the callers of the other continue. The code is compiled, as the package is. Each run is a process of its own, which first
writes rows untimed; the table's rows are counted. In the second table a row is written each millisecond. The cases take turns; the figures are the median of ${repeats}
such rounds, the least and the greatest in brackets.`,
      tables: [
        {
          title: 'Rows a second that callers await',
          header: ['way', 'rows/s', 'of a statement a row', 'p99 ms'],
          rows: CASES.map(one => [
            one.label,
            showSummary(summarize(all(one, 'rowsPerSecond'))),
            significant(rateOf(one.way) / rateOf(one.against)),
            showSummary(summarize(all(one, 'p99'))),
          ]),
        },
        {
          title: 'How long callers wait at 1,000 rows a second',
          header: ['way', 'p99 ms'],
          rows: PACED.map(one => [one.label, showSummary(summarize(all(one, 'p99')))]),
        },
      ],
      chart: {
        kind: 'bars',
        title: `${CALLERS.toLocaleString('en')} callers who each await their row`,
        subtitle: 'rows a second; more is better',
        better: 'more',
        bars: CASES.map(one =>
          bar(one.label, one.way.startsWith('statement') ? 'other' : 'ours', all(one, 'rowsPerSecond')),
        ),
      },
    }
  },
}
