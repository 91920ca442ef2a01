import type { Bench } from '../support/bench.ts'
import { bar } from '../support/chart.ts'
import { interleaved } from '../support/interleaved.ts'
import { describeRows } from '../support/rows.ts'
import { showSummary, significant, summarize } from '../support/statistics.ts'
import { WAYS, type WayName } from './ways.ts'

const RUN = new URL('./run.ts', import.meta.url)
const ROWS = 300_000
const QUICK_ROWS = 40_000

export const bench: Bench = {
  name: 'upsert',
  question: 'How fast are rows upserted of which half are there already?',
  repeats: 5,
  minutes: 4,
  async run({ rows: wanted, repeats, quick, connectionString, measure, log }) {
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const server = await connectionString()
    const names = Object.keys(WAYS) as WayName[]
    const samples = await interleaved(
      names,
      repeats,
      way => measure<typeof import('./run.ts')>(RUN, { connectionString: server, way, rows }),
      (round, way, rate) => log(`  ${round}/${repeats} ${way}: ${significant(rate / 1000)} thousand rows/s`),
    )
    const ours = names.filter(name => WAYS[name].tone === 'ours')
    const others = names.filter(name => WAYS[name].tone === 'other')
    const ratio = (one: WayName, other: WayName): string =>
      showSummary(summarize(samples.get(one)!.map((rate, round) => rate / samples.get(other)![round]!)))
    return {
      caveat:
        'Client and server share one machine. The table fits into memory and has its primary key as the only index: ' +
        'with a larger one, and more indexes, the server takes most of the time whichever way rows come.',
      method: `${describeRows()} ${rows.toLocaleString('en')} rows, half of whose keys are in the table with
other values; keys come in no order, and each once. Every column is updated. The rows are objects in memory
before the clock runs, and it stops when all are committed. Each run is a process of its own, which first does
the same with up to 20,000 rows untimed, and has the server do a CHECKPOINT before the clock runs. Before a
time counts the table's rows are counted, their ids are checked to be distinct, and no row may have kept its old values.
pg-batch-streams: batches of 10,000, \`onConflict: { target: ['id'], action: 'update' }\`. Ways through \`pg\`
alone use prepared statements with ON CONFLICT (id) DO UPDATE, a transaction each. \`newerBy\` and \`if newer\`
update only where \`created_at\` is greater, which it always is. The ways take turns; the
figures are the median of ${repeats} such rounds, the least and the greatest in brackets. Ratios are the
median of the rounds' own.`,
      tables: [
        {
          title: 'Thousand rows a second',
          header: ['way', 'thousand rows/s'],
          rows: names.map(name => [name, showSummary(summarize(samples.get(name)!), 1000)]),
        },
        {
          title: 'Times the rate of the other',
          header: ['other way', ...ours],
          rows: others.map(other => [other, ...ours.map(one => ratio(one, other))]),
        },
      ],
      chart: {
        kind: 'bars',
        title: `${rows.toLocaleString('en')} upserts, half of the keys present`,
        subtitle: 'thousand rows a second, committed; more is better',
        better: 'more',
        bars: names.map(name => bar(name, WAYS[name].tone, samples.get(name)!, { unit: 1000 })),
      },
    }
  },
}
