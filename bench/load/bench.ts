import pg from 'pg'
import { buildCommand } from '../../test/support/build-command.ts'
import { psqlVersion } from '../peers/ways/bytes.ts'
import type { Bench } from '../support/bench.ts'
import { bar } from '../support/chart.ts'
import { interleaved, type Samples } from '../support/interleaved.ts'
import type { MarkdownTable } from '../support/markdown.ts'
import { describeRows } from '../support/rows.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import { makeTable, TABLE } from '../support/table.ts'
import { writeCsvFile } from './csv-file.ts'
import { type CommandSample, timeCommand } from './timed-command.ts'

const ROWS = 1_000_000
const QUICK_ROWS = 200_000
/** Concurrencies to compare with the default of 2. */
const CONNECTIONS = [1, 3]

interface Case {
  readonly title: string
  readonly words: readonly [string, ...string[]]
}

export const bench: Bench = {
  name: 'load',
  question: 'How fast does `pg-batch load` bring a CSV file into a table, against `psql \\copy`?',
  repeats: 5,
  minutes: 2,
  async run({ rows: wanted, repeats, quick, connectionString, log }) {
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const server = await connectionString()
    const psql = await psqlVersion()
    if (psql === undefined) log('load: there is no psql here to compare with')
    await makeBenchTable(server)
    const command = buildCommand()
    const file = await writeCsvFile(rows)
    try {
      const cases = casesOf(file.path, command.main, server, psql !== undefined)
      const samples = await interleaved(
        cases,
        repeats,
        ({ words }) => timeCommand(server, rows, words),
        (round, { title }, { seconds }) =>
          log(`load: round ${round} of ${repeats}: ${title}: ${significant(seconds)} s`),
      )
      return {
        caveat:
          'Client and server share the cores of one machine, so that CPU seconds of either are time taken from the ' +
          "other; on a machine that does other work, too, compare these rather than the clock's seconds.",
        method: `${describeRows()} ${rows.toLocaleString('en')} of them, as a CSV file with a header that the
kernel has in memory, go into an empty table without an index. Each run is the command as it is published,
from the start of its process to its end, against
\`psql -c '\\copy … csv header'\`${psql ? ` (${psql})` : '; psql was missing here'}. The runs take turns; each
cell is the median of ${repeats}, the least and the greatest in brackets. Before a run the table is emptied
and the server does a CHECKPOINT; after it the rows are counted, and the ids are checked to be distinct. CPU seconds are the
user's and the kernel's: of the client process, and of the backends that served it. Autovacuum is off for the
table, since its workers would count as such.`,
        tables: [renderSamples(samples, rows)],
        chart: {
          kind: 'bars',
          title: 'A CSV file into a table',
          subtitle: `Seconds for ${rows.toLocaleString('en')} rows, the start of the process included; less is better`,
          better: 'less',
          bars: cases.map(one => {
            const tone = one.title.startsWith('psql') ? 'other' : 'ours'
            return bar(
              one.title,
              tone,
              samples.get(one)!.map(({ seconds }) => seconds),
            )
          }),
        },
      }
    } finally {
      command.remove()
      await file.remove()
    }
  },
}

async function makeBenchTable(connectionString: string): Promise<void> {
  const pool = new pg.Pool({ connectionString, max: 1 })
  await makeTable(pool)
  await pool.query(`ALTER TABLE ${TABLE} SET (autovacuum_enabled = off)`)
  await pool.end()
}

function casesOf(file: string, main: string, server: string, withPsql: boolean): Case[] {
  const copy = `\\copy ${TABLE} from '${file}' csv header`
  const psql: Case = { title: 'psql \\copy', words: ['psql', '-X', '-q', '-d', server, '-c', copy] }
  const load = [process.execPath, main, 'load', file, '--table', TABLE, '-d', server, '--quiet'] as const
  return [
    ...(withPsql ? [psql] : []),
    { title: 'pg-batch load', words: [...load] },
    ...CONNECTIONS.map(
      (n): Case => ({
        title: `pg-batch load --concurrency ${n}`,
        words: [...load, '--concurrency', `${n}`],
      }),
    ),
  ]
}

function renderSamples(samples: Samples<Case, CommandSample>, rows: number): MarkdownTable {
  const [first, firstSamples] = [...samples][0]!
  const baseline = first.title.startsWith('psql')
    ? median(firstSamples.map(({ seconds }) => seconds))
    : undefined
  return {
    title: `A CSV file of ${rows.toLocaleString('en')} rows`,
    header: ['', 'seconds', 'rows/s', 'times psql', 'CPU s: client', 'CPU s: server'],
    rows: [...samples].map(([{ title }, runs]) => {
      const seconds = summarize(runs.map(run => run.seconds))
      return [
        title,
        showSummary(seconds),
        Math.round(rows / seconds.median).toLocaleString('en'),
        baseline === undefined ? '–' : significant(baseline / seconds.median),
        cpu(runs.map(run => run.clientCpu)),
        cpu(runs.map(run => run.serverCpu)),
      ]
    }),
  }
}

function cpu(samples: readonly (number | undefined)[]): string {
  const known = samples.filter(sample => sample !== undefined)
  return known.length === 0 ? '–' : showSummary(summarize(known))
}
