import type { Bench } from '../support/bench.ts'
import type { Chart } from '../support/chart.ts'
import { interleaved, type Samples } from '../support/interleaved.ts'
import type { MarkdownTable } from '../support/markdown.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import type { TransformSample } from './run.ts'
import { WAYS, type Way } from './ways.ts'

const RUN = new URL('./run.ts', import.meta.url)
const COUNTS = [1, 10, 100, 1000, 10_000]
const QUICK_COUNTS = [1, 10, 1000]
const ROWS = 100_000
const QUICK_ROWS = 50_000
const NAMES = Object.keys(WAYS) as Way[]

interface Cell {
  readonly way: Way
  readonly count: number
}

export const bench: Bench = {
  name: 'transform',
  question: 'How many objects a second does BatchTransform put into batches, and how many do other batchers?',
  repeats: 7,
  minutes: 5,
  async run({ rows: wanted, repeats, quick, log, measure }) {
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const counts = quick ? QUICK_COUNTS : COUNTS
    const cells: Cell[] = counts.flatMap(count => NAMES.map(way => ({ way, count })))
    const samples = await interleaved(
      cells,
      repeats,
      cell => measure<typeof import('./run.ts')>(RUN, { ...cell, rows }),
      (round, { way, count }, { piped, written }) =>
        log(
          `  ${round}/${repeats} ${way}, ${count}: ${significant(piped)}, ${significant(written)} million/s`,
        ),
    )
    return {
      caveat:
        'The batches go to a Writable that does nothing. A database behind it takes 10 to 100 times as long as any of ' +
        'these batchers, so the figures only show that batching is not what holds a pipeline. The others know no ' +
        'time, no bytes and no event, and drop what they hold when they are destroyed.',
      method: `${rows.toLocaleString('en')} objects in memory, in two ways:
\`pipeline(Readable.from(objects), batcher, sink)\`, where the source takes as long as the batcher, and a loop
of \`write()\` that waits for 'drain', which shows the batcher's own part. Each run is a process of its own
for one batcher and one size, in which the two ways take turns for 12 passes; its best pass counts, for what
disturbs a pass only makes it slower. The objects that arrive are counted. The cells take turns; the tables
show the median of ${repeats} such rounds, the least and the greatest in brackets.`,
      tables: [
        rateTable('Readable.from → batcher → sink: million objects a second', 'piped', counts, samples),
        rateTable('write() → batcher → sink: million objects a second', 'written', counts, samples),
        ratioTable(counts, samples),
      ],
      chart: rateChart(counts, samples),
    }
  },
}

type Rates = Samples<Cell, TransformSample>

function ratesOf(samples: Rates, wanted: Cell, field: keyof TransformSample): number[] {
  for (const [{ way, count }, found] of samples) {
    if (way === wanted.way && count === wanted.count) return found.map(sample => sample[field])
  }
  throw new Error(`No run of ${JSON.stringify(wanted)}`)
}

function rateTable(
  title: string,
  field: keyof TransformSample,
  counts: readonly number[],
  samples: Rates,
): MarkdownTable {
  return {
    title,
    header: ['batcher', ...counts.map(count => `${count.toLocaleString('en')} in a batch`)],
    rows: NAMES.map(way => [
      way,
      ...counts.map(count => showSummary(summarize(ratesOf(samples, { way, count }, field)))),
    ]),
  }
}

/** Ratios within a round, so that a slow round does not distort them. */
function ratioTable(counts: readonly number[], samples: Rates): MarkdownTable {
  const [ours, , ...others] = NAMES as [Way, Way, ...Way[]]
  const ratio = (count: number, field: keyof TransformSample): string => {
    const rounds = ratesOf(samples, { way: ours, count }, field)
    return showSummary(
      summarize(
        rounds.map(
          (rate, round) =>
            rate / Math.max(...others.map(way => ratesOf(samples, { way, count }, field)[round]!)),
        ),
      ),
    )
  }
  return {
    title: "BatchTransform's rate by that of the round's fastest other",
    header: ['way', ...counts.map(count => `${count.toLocaleString('en')} in a batch`)],
    rows: [
      ['Readable.from', ...counts.map(count => ratio(count, 'piped'))],
      ['write()', ...counts.map(count => ratio(count, 'written'))],
    ],
  }
}

function rateChart(counts: readonly number[], samples: Rates): Chart {
  return {
    kind: 'lines',
    title: 'Batching alone',
    subtitle: 'million objects a second, from Readable.from to a sink that does nothing; more is better',
    x: { title: 'objects in a batch', scale: 'log' },
    y: { title: 'million objects a second' },
    series: NAMES.filter(way => way !== 'BatchTransform, no timer').map(way => ({
      name: way,
      points: counts.map(count => [count, median(ratesOf(samples, { way, count }, 'piped'))] as const),
    })),
  }
}
