import type { Bench } from '../support/bench.ts'
import { bar } from '../support/chart.ts'
import { DelayingProxy } from '../support/delaying-proxy.ts'
import { interleaved } from '../support/interleaved.ts'
import { describeRows } from '../support/rows.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import { CASES, type CaseName } from './cases.ts'
import type { RoundTripsSample } from './run.ts'

const RUN = new URL('./run.ts', import.meta.url)
const DELAY_MS = 5
const BATCH_ROWS = 1000
const BATCHES = 40
const QUICK_BATCHES = 10

/** The same batches with the delay and without it, in turns. */
interface Sample {
  readonly near: RoundTripsSample
  readonly far: RoundTripsSample
}

export const bench: Bench = {
  name: 'round-trips',
  question: 'How many round trips of a network does a batch wait for?',
  repeats: 5,
  minutes: 3,
  async run({ rows: wanted, repeats, quick, connectionString, measure, log }) {
    const batches = wanted ? Math.ceil(wanted / BATCH_ROWS) : quick ? QUICK_BATCHES : BATCHES
    const batchRows = wanted ? Math.min(wanted, BATCH_ROWS) : BATCH_ROWS
    const server = new URL(await connectionString())
    const proxies = {
      near: await DelayingProxy.start(Number(server.port), 0),
      far: await DelayingProxy.start(Number(server.port), DELAY_MS),
    }
    const through = ({ port }: DelayingProxy): string =>
      Object.assign(new URL(server), { hostname: '127.0.0.1', port }).href
    const names = Object.keys(CASES) as CaseName[]
    try {
      const samples = await interleaved(
        names,
        repeats,
        async (way): Promise<Sample> => {
          const run = (proxy: DelayingProxy) =>
            measure<typeof import('./run.ts')>(RUN, {
              connectionString: through(proxy),
              way,
              batches,
              batchRows,
            })
          return { near: await run(proxies.near), far: await run(proxies.far) }
        },
        (round, way, sample) =>
          log(`  ${round}/${repeats} ${way}: ${significant(trips(sample, 'aloneMs'))} round trips`),
      )
      const tripsOf = (way: CaseName, value: 'aloneMs' | 'streamedMs'): number[] =>
        samples.get(way)!.map(sample => trips(sample, value))
      const measured = [...samples.values()].flat().map(({ far, near }) => far.roundTripMs - near.roundTripMs)
      return {
        caveat:
          'The delay is made by a proxy on the same machine that holds back what passes, and has no limit of bandwidth. ' +
          'TCP between client and proxy has no delay of its own, so its slow start does not show.',
        method: `${describeRows()} Batches of ${batchRows.toLocaleString('en')} rows at concurrency 1, through
a proxy with ${DELAY_MS} ms each way and through the same proxy with none. The difference of the two times is
what the network costs; divided by the difference that \`SELECT 1\` shows (${significant(median(measured))}
ms) it is a number of round trips. *Alone*: each of ${batches} batches is written when the one before is
committed; the shortest time counts, for what else the machine does can only add. *Streamed*: ${batches}
batches as fast as the stream takes them, so that a transaction takes those that are ready; the time of all,
by their number. Each run is a process of its own, which first writes 5 batches untimed; the table's rows are
counted. The cases take turns; the figures are the median of ${repeats} such rounds, the least and the
greatest in brackets.`,
        tables: [
          {
            title: 'Round trips a batch',
            header: ['way', 'alone', 'streamed', 'alone without delay, ms', 'alone with delay, ms'],
            rows: names.map(way => [
              way,
              showSummary(summarize(tripsOf(way, 'aloneMs'))),
              showSummary(summarize(tripsOf(way, 'streamedMs'))),
              ...(['near', 'far'] as const).map(side =>
                showSummary(summarize(samples.get(way)!.map(sample => sample[side].aloneMs))),
              ),
            ]),
          },
        ],
        chart: {
          kind: 'bars',
          title: `Round trips for a batch of ${batchRows.toLocaleString('en')} rows`,
          subtitle: `beyond the data's own time, ${DELAY_MS} ms of delay each way; less is better`,
          better: 'less',
          bars: names.flatMap(way => [
            bar(`${way}, streamed`, 'ours', tripsOf(way, 'streamedMs'), { group: way }),
            bar(`${way}, alone`, 'ours, second', tripsOf(way, 'aloneMs'), { group: way }),
          ]),
        },
      }
    } finally {
      for (const proxy of Object.values(proxies)) await proxy.stop()
    }
  },
}

function trips({ near, far }: Sample, value: 'aloneMs' | 'streamedMs'): number {
  return (far[value] - near[value]) / (far.roundTripMs - near.roundTripMs)
}
