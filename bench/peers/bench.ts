import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench } from '../support/bench.ts'
import { bar } from '../support/chart.ts'
import { interleaved, type Samples } from '../support/interleaved.ts'
import type { MarkdownTable } from '../support/markdown.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import type { BenchTable } from '../support/tables/bench-table.ts'
import { describeTable, TABLES } from '../support/tables/index.ts'
import type { LoadSample } from '../support/timed-load.ts'
import { buildTokioPostgres, type TokioPostgres } from './tokio-postgres.ts'
import { psqlVersion } from './ways/bytes.ts'
import type { Way } from './ways/way.ts'
import { WAYS, type WayName, waysWith } from './ways.ts'

const RUN = new URL('./run.ts', import.meta.url)
const FILES = new URL('./write-files.ts', import.meta.url)
const ROWS = 1_000_000
const QUICK_ROWS = 60_000

export const bench: Bench = {
  name: 'peers',
  question:
    'How fast do objects get into a table, beside the wire, psql, Rust and the other ways of Node.js?',
  repeats: 5,
  minutes: 10,
  anyTable: true,
  async run({ rows: wanted, repeats, quick, table: tableName, connectionString, measure, log }) {
    const table: BenchTable = TABLES[tableName]
    const rows = Math.ceil((wanted ?? (quick ? QUICK_ROWS : ROWS)) * (table.share ?? 1))
    const server = await connectionString()
    const psql = await psqlVersion()
    const folder = await mkdtemp(join(tmpdir(), 'pg-batch-peers-'))
    try {
      const tokio = await buildTokioPostgres(folder, { table: tableName, quick, log })
      const tokioPostgres = tokio.path
      const names = waysWith({ psql: psql !== undefined, tokioPostgres: tokioPostgres !== undefined })
      const filesTask = { connectionString: server, table: tableName, rows, folder }
      const files = await measure<typeof import('./write-files.ts')>(FILES, filesTask)
      const samples = await interleaved(
        names,
        repeats,
        way => {
          const from = { connectionString: server, table: tableName, files, tokioPostgres }
          const task = { ...from, way, rows: rowsOf(way, rows) }
          return measure<typeof import('./run.ts')>(RUN, task)
        },
        (round, way, { rowsPerSecond }) =>
          log(`  ${round}/${repeats} ${way}: ${significant(rowsPerSecond / 1000)} thousand rows/s`),
      )
      return {
        caveat:
          'One table without an index, on the same machine as the client: they share its cores, and a statement costs no ' +
          'network. Ways that send many small statements lose more where there is one, and gain where the server has cores of its own.',
        method: methodText({ about: describeTable(tableName), rows, repeats, psql, tokio }),
        tables: [ratesTable(names, samples, rows), ratiosTable(names, samples)],
        chart: {
          kind: 'bars',
          title: `${rows.toLocaleString('en')} objects into PostgreSQL`,
          subtitle: `thousand rows a second until all are committed, rows ${table.about}; more is better`,
          better: 'more',
          bars: names.map(name => bar(name, WAYS[name].tone, ratesOf(samples, name), { unit: 1000 })),
        },
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  },
}

function rowsOf(name: WayName, rows: number): number {
  const { share = 1 }: Way = WAYS[name]
  return Math.ceil(rows * share)
}

function methodText(facts: {
  about: string
  rows: number
  repeats: number
  psql: string | undefined
  tokio: TokioPostgres
}): string {
  const { about, rows, repeats, psql, tokio } = facts
  return `${about} Ways from objects have ${rows.toLocaleString('en')} of them in memory before the clock runs
(slow ways have the part that the table says), ways from files have the same rows as the server wrote them by
COPY TO. The clock stops when all are committed. Each run is a process of its own, which first writes up to
20,000 rows (or the whole file) untimed, then empties the table and has the server do a CHECKPOINT. The
table's rows are counted, and their keys checked to be distinct, before a time counts. The ways take turns; the figures
are the median of ${repeats} such rounds, the least and the greatest in brackets. Ratios are the median of the
rounds' own.

- pg-batch-streams: \`pipeline(Readable.from(rows), BatchTransform, PgBatchWritable)\`, batches of 10,000,
  else default options. *Arrays*: \`pipeline(Readable.from(slices), PgBatchWritable)\`, where a generator yields
  10,000 of the rows at a time, as one writes rows that are in an array already.
- The ceiling: one connection, one COPY, binary bytes in pieces of 64 KiB.
- psql: ${psql ?? 'not measured, since it is not installed on this machine'}; its own \`\\timing\` counts, without its
  start.
- tokio-postgres (Rust): ${tokio.about}. Its BinaryCopyInWriter, a COPY on each connection, structs in memory before its
  own clock runs.
- pg: statements that are prepared once on their connection, each a transaction.
- pg-copy-streams: one COPY in CSV with csv-stringify as documented; one in the text format with lines of
  template strings for this very table. *Joined*: what goes into the COPY is joined to pieces of 64 KiB first,
  which no document has, and which is the peers' best setting.
- pg-copy-streams-binary knows neither numeric nor date nor char: its table has float8, timestamptz and text
  instead.
- postgres.js: 1,000 rows a statement, prepared; its COPY stream gets the joined lines.
- pg-promise: a ColumnSet, 1,000 rows a statement. knex: batchInsert, 1,000 rows a statement, one
  transaction.`
}

function ratesTable(
  names: readonly WayName[],
  samples: Samples<WayName, LoadSample>,
  rows: number,
): MarkdownTable {
  return {
    title: 'Thousand rows a second',
    header: ['way', 'rows', 'thousand rows/s', 'client CPU, seconds per million rows'],
    rows: names.map(name => [
      name,
      rowsOf(name, rows).toLocaleString('en'),
      showSummary(summarize(ratesOf(samples, name)), 1000),
      significant(
        (median(samples.get(name)!.map(one => one.clientCpuSeconds)) / rowsOf(name, rows)) * 1_000_000,
      ),
    ]),
  }
}

const OURS = [
  'pg-batch-streams, concurrency 1',
  'pg-batch-streams, concurrency 2',
  'pg-batch-streams, concurrency 3',
  'pg-batch-streams, arrays, concurrency 1',
  'pg-batch-streams, arrays, concurrency 2',
] as const

/** The ratio of our rate to each other way's, round by round. */
function ratiosTable(names: readonly WayName[], samples: Samples<WayName, LoadSample>): MarkdownTable {
  const others = names.filter(name => !(OURS as readonly string[]).includes(name))
  const best = others
    .filter(name => WAYS[name].from === 'objects')
    .reduce((a, b) => (median(ratesOf(samples, b)) > median(ratesOf(samples, a)) ? b : a))
  const ratio = (ours: WayName, other: WayName): string => {
    const rates = ratesOf(samples, other)
    return showSummary(summarize(ratesOf(samples, ours).map((rate, round) => rate / rates[round]!)))
  }
  return {
    title: 'Times the rate of the other',
    header: ['other way', ...OURS.map(name => name.replace('pg-batch-streams, ', ''))],
    rows: others.map(name => [name, ...OURS.map(ours => ratio(ours, name))]),
    remark: `The best other way of Node.js from objects: ${best}.`,
  }
}

function ratesOf(samples: Samples<WayName, LoadSample>, name: WayName): number[] {
  return samples.get(name)!.map(({ rowsPerSecond }) => rowsPerSecond)
}
