import type { Bench } from '../support/bench.ts'
import { bar } from '../support/chart.ts'
import { interleaved } from '../support/interleaved.ts'
import { describeRows } from '../support/rows.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import { SHARE, WAYS, type Way } from './ways.ts'

const RUN = new URL('./run.ts', import.meta.url)
const ROWS = 500_000
const QUICK_ROWS = 200_000

export const bench: Bench = {
  name: 'what-batching-buys',
  question: 'What does it buy to write rows in batches, and by COPY?',
  repeats: 5,
  minutes: 3,
  async run({ rows: wanted, repeats, quick, connectionString, measure, log }) {
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const server = await connectionString()
    const ways = Object.keys(WAYS) as Way[]
    const rowsOf = (way: Way): number => Math.max(1, Math.round(rows * (SHARE[way] ?? 1)))
    const samples = await interleaved(
      ways,
      repeats,
      way => measure<typeof import('./run.ts')>(RUN, { connectionString: server, way, rows: rowsOf(way) }),
      (round, way, rate) => log(`  ${round}/${repeats} ${way}: ${significant(rate / 1000)} thousand rows/s`),
    )
    const [first] = ways
    // ratios within a round, so that a slow round does not distort them
    const times = (way: Way): number =>
      median(samples.get(way)!.map((rate, round) => rate / samples.get(first!)![round]!))
    return {
      caveat:
        'One table without an index, on the same machine as the client: a statement costs no network here. With a ' +
        'network between, each of its round trips is added, and ways with many statements lose more.',
      method: `${describeRows()} The rows are objects in memory before the clock runs, and it stops when all
are committed. Each run is a process of its own, which first writes up to 20,000 rows untimed, then empties
the table and has the server do a CHECKPOINT. The table's rows are counted, and its ids checked to be distinct, before a
time counts. Ways through \`pg\` alone use one connection, prepared statements, and a transaction for each
statement. The ways take turns; the figures are the median of ${repeats} such rounds, the least and the
greatest in brackets. The last column is the median of the rounds' own ratios.`,
      tables: [
        {
          title: 'Thousand rows a second',
          header: ['way', 'rows', 'thousand rows/s', 'times the first'],
          rows: ways.map(way => [
            way,
            rowsOf(way).toLocaleString('en'),
            showSummary(summarize(samples.get(way)!), 1000),
            significant(times(way)),
          ]),
        },
      ],
      chart: {
        kind: 'bars',
        title: 'What batching buys',
        subtitle: 'thousand rows a second, committed; more is better',
        better: 'more',
        bars: ways.map(way =>
          bar(way, way.startsWith('pg-batch-streams') ? 'ours' : 'other', samples.get(way)!, { unit: 1000 }),
        ),
      },
    }
  },
}
