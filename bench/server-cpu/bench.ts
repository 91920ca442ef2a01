import pg from 'pg'
import { type Bench, BenchUnavailable } from '../support/bench.ts'
import { bar } from '../support/chart.ts'
import { processCpu } from '../support/cpu-time.ts'
import { interleaved } from '../support/interleaved.ts'
import { describeRows } from '../support/rows.ts'
import { showSummary, significant, summarize } from '../support/statistics.ts'
import { WAYS, type WayName } from './ways.ts'

const RUN = new URL('./run.ts', import.meta.url)
const ROWS = 1_000_000
const QUICK_ROWS = 200_000
const MILLION = 1_000_000
const CSV: WayName = 'COPY of CSV bytes'

export const bench: Bench = {
  name: 'server-cpu',
  question: "How much of the server's CPU does a million rows take?",
  repeats: 5,
  minutes: 3,
  async run({ rows: wanted, repeats, quick, connectionString, measure, log }) {
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const server = await connectionString()
    if (!(await showsBackends(server))) {
      throw new BenchUnavailable('It reads the CPU time of backends in /proc: of Linux, and of this machine')
    }
    const names = Object.keys(WAYS) as WayName[]
    const samples = await interleaved(
      names,
      repeats,
      way => measure<typeof import('./run.ts')>(RUN, { connectionString: server, way, rows }),
      (round, way, { backends }) =>
        log(`  ${round}/${repeats} ${way}: ${significant(perMillion(backends))} s`),
    )
    function perMillion(seconds: number): number {
      return (seconds / rows) * MILLION
    }
    const secondsOf = (way: WayName, of: 'backends' | 'client'): number[] =>
      samples.get(way)!.map(sample => perMillion(sample[of]))
    const csv = secondsOf(CSV, 'backends')
    const ratio = (way: WayName): string =>
      csv.includes(0) // few rows take less than a tick of the clock
        ? 'not known'
        : showSummary(summarize(secondsOf(way, 'backends').map((seconds, round) => seconds / csv[round]!)))
    return {
      caveat:
        'CPU time is less sensitive to what else runs than a rate is, but not insensitive: shared caches and cores make it grow. ' +
        'It is that of the backends alone; what the checkpointer and the WAL writer do for them is not in it.',
      method: `${describeRows()} User's and kernel's seconds of the backends, from /proc/<pid>/stat (its clock
ticks every 10 ms), before and after a load of ${rows.toLocaleString('en')} rows into an empty table without
an index; all connections stay open until they are read, so that none is lost. pg-batch-streams: batches of
10,000, from objects, so its client's seconds hold their encoding. CSV: one COPY of bytes that were made
before. Each run is a process of its own, which first writes up to 20,000 rows untimed; the table's rows are
counted. The ways take turns; the figures are the median of ${repeats} such rounds, the least and the greatest
in brackets.`,
      tables: [
        {
          title: 'CPU seconds per million rows',
          header: ['way', 'server', 'of CSV', 'client'],
          rows: names.map(way => [
            way,
            showSummary(summarize(secondsOf(way, 'backends'))),
            ratio(way),
            showSummary(summarize(secondsOf(way, 'client'))),
          ]),
        },
      ],
      chart: {
        kind: 'bars',
        title: "The server's CPU for a million rows",
        subtitle: 'CPU seconds of the backends; less is better',
        better: 'less',
        bars: names.map(way => bar(way, WAYS[way].tone, secondsOf(way, 'backends'))),
      },
    }
  },
}

async function showsBackends(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    return processCpu(rows[0]!.pid)?.program === 'postgres'
  } finally {
    await client.end()
  }
}
