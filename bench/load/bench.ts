import pg from 'pg'
import { buildCommand } from '../../test/support/build-command.ts'
import { psqlVersion } from '../peers/ways/bytes.ts'
import { type Bench, BenchUnavailable } from '../support/bench.ts'
import { bar } from '../support/chart.ts'
import { interleaved, type Samples } from '../support/interleaved.ts'
import type { MarkdownTable } from '../support/markdown.ts'
import { describeRows } from '../support/rows.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import { makeTable, TABLE } from '../support/table.ts'
import { duckdbCommand, duckdbVersion } from './duckdb.ts'
import { FORMATS, type Format, type RowFiles, writeRowFiles } from './row-files.ts'
import { type CommandSample, timeCommand } from './timed-command.ts'

const ROWS = 1_000_000
const QUICK_ROWS = 200_000
/** Concurrencies to compare with the default of 2. */
const CONNECTIONS = [1, 3]

interface Case {
  readonly format: Format
  readonly title: string
  readonly words: readonly [string, ...string[]]
  readonly isPeer?: boolean
}

/** What is on this machine to compare with. */
interface Peers {
  readonly psql: string | undefined
  readonly duckdb: string | undefined
}

export const bench: Bench = {
  name: 'load',
  question:
    'How fast does `pg-batch load` bring CSV into a table, against `psql \\copy`, NDJSON and Parquet, against DuckDB?',
  repeats: 5,
  minutes: 7,
  async run({ rows: wanted, repeats, quick, only, connectionString, log }) {
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const server = await connectionString()
    const peers = { psql: await psqlVersion(), duckdb: await duckdbVersion() }
    if (peers.psql === undefined) log('load: there is no psql here to compare with')
    if (peers.duckdb === undefined) log('load: there is no DuckDB here to compare with')
    await makeBenchTable(server)
    const command = buildCommand()
    const files = await writeRowFiles(rows, formatsOf(only), log)
    try {
      const cases = casesOf(files, command.main, server, peers)
      const samples = await interleaved(
        cases,
        repeats,
        ({ words }) => timeCommand(server, rows, words),
        (round, { format, title }, { seconds }) =>
          log(`load: round ${round} of ${repeats}: ${format}, ${title}: ${significant(seconds)} s`),
      )
      return {
        caveat:
          'Client and server share the cores of one machine, so that CPU seconds of either are time taken from the ' +
          "other; on a machine that does other work, too, compare these rather than the clock's seconds.",
        method: `${describeRows()} ${rows.toLocaleString('en')} of them, as a CSV file with a header, plain, by gzip and by zstd,
as NDJSON, and as Parquet that DuckDB has written, all of which the kernel has in memory, go into an empty table
without an index. Each run is the command as it is published, from the start of its process to its end, against
\`psql -c '\\copy … csv header'\`${peers.psql ? ` (${peers.psql})` : '; psql was missing here'}, which reads packed files from
\`gzip -dc\` or \`zstd -dc\`, and against DuckDB's \`read_json\` with the types named and its
\`read_parquet\`${peers.duckdb ? ` (${peers.duckdb})` : '; DuckDB was missing here'}. The runs take turns; each
cell is the median of ${repeats}, the least and the greatest in brackets. Before a run the table is emptied
and the server does a CHECKPOINT; after it the rows are counted, and the ids are checked to be distinct. CPU seconds are the
user's and the kernel's: of the client process, and of the backends that served it. Autovacuum is off for the
table, since its workers would count as such.`,
        tables: [...files.paths.keys()].map(format => renderSamples(samples, rows, format)),
        chart: {
          kind: 'bars',
          title: 'A CSV file into a table',
          subtitle: `Seconds for ${rows.toLocaleString('en')} rows, the start of the process included; less is better`,
          better: 'less',
          bars: cases
            .filter(({ format }) => format === 'CSV')
            .map(one => {
              const seconds = samples.get(one)!.map(run => run.seconds)
              return bar(one.title, one.isPeer ? 'other' : 'ours', seconds)
            }),
        },
      }
    } finally {
      command.remove()
      await files.remove()
    }
  },
}

async function makeBenchTable(connectionString: string): Promise<void> {
  const pool = new pg.Pool({ connectionString, max: 1 })
  await makeTable(pool)
  await pool.query(`ALTER TABLE ${TABLE} SET (autovacuum_enabled = off)`)
  await pool.end()
}

/** @throws BenchUnavailable where no format has one of the words in its name */
function formatsOf(only: readonly string[] | undefined): Format[] {
  const formats = FORMATS.filter(
    format => !only || only.some(word => format.toLowerCase().includes(word.toLowerCase())),
  )
  if (formats.length === 0) throw new BenchUnavailable(`The formats are: ${FORMATS.join('; ')}.`)
  return formats
}

function casesOf({ paths }: RowFiles, main: string, server: string, peers: Peers): Case[] {
  return [...paths].flatMap(([format, path]) => {
    const load = [process.execPath, main, 'load', path, '--table', TABLE, '-d', server, '--quiet'] as const
    const peer = peerCase(format, path, server, peers)
    const concurrencies = format === 'CSV' ? CONNECTIONS : []
    return [
      ...(peer ? [peer] : []),
      { format, title: 'pg-batch load', words: load },
      ...concurrencies.map(
        (n): Case => ({
          format,
          title: `pg-batch load --concurrency ${n}`,
          words: [...load, '--concurrency', `${n}`],
        }),
      ),
    ]
  })
}

/** Returns what the command is compared with; undefined where it is missing. */
function peerCase(format: Format, path: string, server: string, peers: Peers): Case | undefined {
  const psql = (from: string) =>
    ['psql', '-X', '-q', '-d', server, '-c', `\\copy ${TABLE} from ${from} csv header`] as const
  const isPeer = true
  switch (format) {
    case 'CSV':
      return peers.psql ? { format, title: 'psql \\copy', words: psql(`'${path}'`), isPeer } : undefined
    case 'CSV, gzip':
    case 'CSV, zstd': {
      const program = format === 'CSV, gzip' ? 'gzip' : 'zstd'
      const words = psql(`program '${program} -dc ${path}'`)
      return peers.psql ? { format, title: `psql \\copy, ${program} -dc`, words, isPeer } : undefined
    }
    default: {
      const title = format === 'NDJSON' ? 'DuckDB, read_json' : 'DuckDB, read_parquet'
      return peers.duckdb ? { format, title, words: duckdbCommand(server, TABLE, path), isPeer } : undefined
    }
  }
}

function renderSamples(
  samples: Samples<Case, CommandSample>,
  rows: number,
  format: Case['format'],
): MarkdownTable {
  const ours = [...samples].filter(([one]) => one.format === format)
  const [peer, peerRuns] = ours.find(([{ isPeer }]) => isPeer) ?? []
  const baseline = peerRuns && median(peerRuns.map(({ seconds }) => seconds))
  return {
    title: `A file of ${rows.toLocaleString('en')} rows, ${format}`,
    header: [
      '',
      'seconds',
      'rows/s',
      peer ? `times ${peer.title.split(/[ ,]/)[0]}` : 'times its peer',
      'CPU s: client',
      'CPU s: server',
    ],
    rows: ours.map(([{ title }, runs]) => {
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
