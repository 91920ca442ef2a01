import type { Bench } from '../support/bench.ts'
import { type BarChart, bar } from '../support/chart.ts'
import { interleaved, type Samples } from '../support/interleaved.ts'
import type { MarkdownTable } from '../support/markdown.ts'
import { describeRows } from '../support/rows.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import type { EncodeSample } from './run.ts'
import { ONE_COLUMN, TABLES, WHOLE_TABLES } from './tables.ts'

const RUN = new URL('./run.ts', import.meta.url)
const ROWS = 50_000
const QUICK_ROWS = 20_000
/** Fewer wide rows, so that each table has about as many bytes. */
const WIDE_SHARE = 1 / 12

interface Case {
  readonly table: string
  /** True in a process that has encoded all other tables first. */
  readonly crowded: boolean
}

type Found = Samples<Case, EncodeSample>

export const bench: Bench = {
  name: 'encode',
  question: 'What does it take to turn rows into the bytes of COPY, by type and by table?',
  repeats: 5,
  minutes: 5,
  async run({ rows: wanted, repeats, quick, log, measure }) {
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const cases: Case[] = [
      ...Object.keys(WHOLE_TABLES).flatMap(table => [
        { table, crowded: false },
        { table, crowded: true },
      ]),
      ...Object.keys(ONE_COLUMN).map(table => ({ table, crowded: false })),
    ]
    const samples = await interleaved(
      cases,
      repeats,
      ({ table, crowded }) =>
        measure<typeof import('./run.ts')>(RUN, {
          table,
          rows: isWide(table) ? Math.ceil(rows * WIDE_SHARE) : rows,
          before: crowded ? Object.keys(TABLES) : [],
        }),
      (round, { table, crowded }, { binary, text, peer }) =>
        log(
          `  ${round}/${repeats} ${table}${crowded ? ', crowded' : ''}: binary ${binary.toFixed(3)}, text ${text.toFixed(3)}` +
            `${peer === undefined ? '' : `, peer ${peer.toFixed(3)}`} µs a row`,
        ),
    )
    return {
      caveat:
        'Only rows to bytes: no checks of the rows, no connection, no server. The rows lie in memory, and are encoded ' +
        'again and again, so strings are flat and caches warm.',
      method: `Microseconds a row, by the toolkit's row encoder into its buffer, of which 64 KiB are taken
away at a time. "8 columns": ${describeRows().charAt(0).toLowerCase()}${describeRows().slice(1)} Each run is a
process of its own for one table of ${rows.toLocaleString('en')} rows (fewer where they are wide), in which
binary, text and pg-copy-streams-binary take turns for 9 passes; the best pass of each counts, for what
disturbs a pass only makes it slower. "Crowded" is a process that has encoded all other tables of this bench
before, so that its compiled code has seen their types. pg-copy-streams-binary's row writer is called without
its stream, and with its arrays of types and values made before the clock runs, converted to what it takes (a
BigInt for int8, a Date for timestamptz, a number for a string of digits). Both give the same bytes, which is
checked. A dash: it has no such type. The cases take turns; the tables show the median of ${repeats} such
rounds, the least and the greatest in brackets.`,
      tables: [wholeTables(samples), byType(samples)],
      chart: chartOf(samples),
    }
  },
}

function isWide(table: string): boolean {
  return /wide|1,000|384/.test(table)
}

function samplesOf(samples: Found, wanted: Case): readonly EncodeSample[] {
  for (const [{ table, crowded }, found] of samples) {
    if (table === wanted.table && crowded === wanted.crowded) return found
  }
  throw new Error(`No run of ${wanted.table}`)
}

/** Thousandths of a microsecond matter here. */
function nanoseconds(samples: readonly number[]): string {
  return showSummary(summarize(samples.map(microseconds => microseconds * 1000)))
}

function wholeTables(samples: Found): MarkdownTable {
  return {
    title: 'Whole tables: nanoseconds a row',
    header: ['table', 'binary', 'binary, crowded', 'text', 'text, crowded'],
    rows: Object.keys(WHOLE_TABLES).map(table => [
      table,
      ...(['binary', 'text'] as const).flatMap(format =>
        [false, true].map(crowded =>
          nanoseconds(samplesOf(samples, { table, crowded }).map(sample => sample[format])),
        ),
      ),
    ]),
  }
}

function byType(samples: Found): MarkdownTable {
  return {
    title: 'One column: nanoseconds a row',
    header: ['column', 'binary', 'pg-copy-streams-binary', 'theirs / binary', 'text'],
    rows: Object.keys(ONE_COLUMN).map(table => {
      const found = samplesOf(samples, { table, crowded: false })
      const pairs = found.flatMap(({ binary, peer }) => (peer === undefined ? [] : [{ binary, peer }]))
      return [
        table,
        nanoseconds(found.map(({ binary }) => binary)),
        pairs.length === 0 ? '–' : nanoseconds(pairs.map(({ peer }) => peer)),
        pairs.length === 0 ? '–' : significant(median(pairs.map(({ binary, peer }) => peer / binary))),
        nanoseconds(found.map(({ text }) => text)),
      ]
    }),
    remark: 'A row is its two bytes of a field count and one field.',
  }
}

function chartOf(samples: Found): BarChart {
  return {
    kind: 'bars',
    title: 'Rows to the bytes of COPY',
    subtitle: 'microseconds a row, on one core; less is better',
    better: 'less',
    bars: Object.keys(WHOLE_TABLES).flatMap(table =>
      (['binary', 'text'] as const).map(format =>
        bar(
          `${table}: ${format}`,
          format === 'binary' ? 'ours' : 'ours, second',
          samplesOf(samples, { table, crowded: false }).map(sample => sample[format]),
          { group: table },
        ),
      ),
    ),
  }
}
