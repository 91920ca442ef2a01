import pg from 'pg'
import { buildCommand } from '../../test/support/processes/build-command.ts'
import { psqlVersion } from '../peers/ways/bytes.ts'
import { type Bench, BenchUnavailable } from '../support/bench.ts'
import { bar } from '../support/chart.ts'
import { interleaved, type Samples } from '../support/interleaved.ts'
import type { MarkdownTable } from '../support/markdown.ts'
import { median, showSummary, significant, summarize } from '../support/statistics.ts'
import { makeTable } from '../support/table.ts'
import { DATASETS, type Dataset } from './datasets.ts'
import { arrow, duckdb } from './python-peers.ts'
import {
  datasetOf,
  FORMATS,
  type Format,
  isNdjson,
  type RowFiles,
  rowsOf,
  writeRowFiles,
} from './row-files.ts'
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
  readonly table: string
}

/** ADBC sends text, which a column of jsonb does not take in a binary COPY. */
function textTableOf({ table, columns }: Dataset): string {
  return columns.some(({ type }) => type === 'jsonb') ? `${table}_text` : table
}

/** What is on this machine to compare with. */
interface Peers {
  readonly psql: string | undefined
  readonly duckdb: string | undefined
  readonly adbc: string | undefined
}

export const bench: Bench = {
  name: 'load',
  question:
    'How fast does `pg-batch load` load CSV beside `psql \\copy`, and NDJSON and Parquet beside DuckDB?',
  repeats: 5,
  minutes: 15,
  async run({ rows: wanted, repeats, quick, only, connectionString, log }) {
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const server = await connectionString()
    const peers = { psql: await psqlVersion(), duckdb: await duckdb.version(), adbc: await arrow.version() }
    if (peers.psql === undefined) log('load: there is no psql here to compare with')
    if (peers.duckdb === undefined) log('load: there is no DuckDB here to compare with')
    if (peers.adbc === undefined) log('load: there is no ADBC here to compare with')
    const formats = formatsOf(only)
    await makeBenchTables(server, new Set(formats.map(datasetOf)))
    const command = buildCommand()
    const files = await writeRowFiles(rows, formats, log)
    try {
      const cases = casesOf(files, command.main, server, peers)
      const samples = await interleaved(
        cases,
        repeats,
        ({ format, words, table }) =>
          timeCommand(server, rowsOf(format, rows), words, { table, key: datasetOf(format).key }),
        (round, { format, title }, { seconds }) =>
          log(`load: round ${round} of ${repeats}: ${format}, ${title}: ${significant(seconds)} s`),
      )
      return {
        caveat:
          'Client and server share the cores of one machine, so that CPU seconds of either are time taken from the ' +
          "other; on a machine that does other work, too, compare these rather than the clock's seconds.",
        method: `${DATASETS.mixed.about} ${rows.toLocaleString('en')} of them, as a CSV file with a header, plain, by gzip and by zstd,
as NDJSON, and as Parquet that DuckDB, pyarrow and polars have written (as Spark writes it: timestamps are INT96,
decimals are bytes), all of which the kernel has in memory, go into an empty table
without an index. Each run is the command as it is published, from the start of its process to its end, against
\`psql -c '\\copy … csv header'\`${peers.psql ? ` (${peers.psql})` : '; psql was missing here'}, which reads packed files from
\`gzip -dc\` or \`zstd -dc\`, and against DuckDB's \`read_json\` with the types named and its
\`read_parquet\`${peers.duckdb ? ` (${peers.duckdb})` : '; DuckDB was missing here'}, and Parquet against ADBC fed by
pyarrow${peers.adbc ? ` (${peers.adbc})` : '; ADBC was missing here'}. ADBC cannot write jsonb: *no jsonb* is a table with text in place of it. The runs take turns; each
cell is the median of ${repeats}, the least and the greatest in brackets. Before a run the table is emptied
and the server does a CHECKPOINT; after it the rows are counted, and the ids are checked to be distinct. CPU seconds are the
user's and the kernel's: of the client process, and of the backends that served it. MB is the most memory
that the client had in any run. Times its peer: of the fastest other tool into the same table. Autovacuum is off for the
tables, since its workers would count as such. Other files: ${DATASETS.lineitem.about} ${DATASETS.taxi.about} ${DATASETS['wide-json'].about}`,
        tables: [...files.paths.keys()].map(format => renderSamples(samples, rowsOf(format, rows), format)),
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

async function makeBenchTables(connectionString: string, datasets: Iterable<Dataset>): Promise<void> {
  const pool = new pg.Pool({ connectionString, max: 1 })
  for (const dataset of datasets) {
    const { table, columns } = dataset
    const asText = columns.map(({ name, type }) => ({ name, type: type === 'jsonb' ? 'text' : type }))
    await makeTable(pool, { table: textTableOf(dataset), columns: asText })
    await makeTable(pool, { table, columns })
    for (const one of new Set([table, textTableOf(dataset)])) {
      await pool.query(`ALTER TABLE ${one} SET (autovacuum_enabled = off)`)
    }
  }
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

function casesOf({ paths }: RowFiles, main: string, server: string, available: Peers): Case[] {
  return [...paths].flatMap(([format, path]) => {
    const { table } = datasetOf(format)
    const textTable = textTableOf(datasetOf(format))
    const ours = (title: string, into: string, ...options: string[]): Case => {
      const words = [process.execPath, main, 'load', path, '--table', into, '-d', server, '--quiet'] as const
      return { format, title: `pg-batch load${title}`, words: [...words, ...options], table: into }
    }
    const peers = peerCases(format, path, server, available)
    const concurrencies = format === 'CSV' ? CONNECTIONS : []
    const hasTextPeer = textTable !== table && peers.some(peer => peer.table === textTable)
    return [
      ...peers,
      ours('', table),
      ...concurrencies.map(n => ours(` --concurrency ${n}`, table, '--concurrency', `${n}`)),
      ...(hasTextPeer ? [ours(', no jsonb', textTable)] : []),
    ]
  })
}

/** Returns what loads the file besides `pg-batch`. */
function peerCases(format: Format, path: string, server: string, peers: Peers): Case[] {
  const { table, columns } = datasetOf(format)
  const textTable = textTableOf(datasetOf(format))
  const peer = (title: string, words: Case['words'], into = table): Case => ({
    format,
    title,
    words,
    isPeer: true,
    table: into,
  })
  const psql = (from: string) =>
    ['psql', '-X', '-q', '-d', server, '-c', `\\copy ${table} from ${from} csv header`] as const
  const program = /\b(gzip|zstd)$/.exec(format)?.[1]
  if (path.includes('.csv')) {
    if (!peers.psql) return []
    if (!program) return [peer('psql \\copy', psql(`'${path}'`))]
    return [peer(`psql \\copy, ${program} -dc`, psql(`program '${program} -dc ${path}'`))]
  }
  const byDuckdb = (into: string, note = ''): Case =>
    peer(
      `DuckDB, ${isNdjson(format) ? 'read_json' : 'read_parquet'}${note}`,
      duckdb.loadCommand(server, into, path, columns),
      into,
    )
  if (isNdjson(format)) return peers.duckdb ? [byDuckdb(table)] : []
  const intoText = textTable === table ? [] : [byDuckdb(textTable, ', no jsonb')]
  const byAdbc = peer(
    textTable === table ? 'ADBC, pyarrow' : 'ADBC, pyarrow, no jsonb',
    arrow.loadCommand(server, textTable, path, columns),
    textTable,
  )
  return [...(peers.duckdb ? [byDuckdb(table), ...intoText] : []), ...(peers.adbc ? [byAdbc] : [])]
}

function renderSamples(
  samples: Samples<Case, CommandSample>,
  rows: number,
  format: Case['format'],
): MarkdownTable {
  const ours = [...samples].filter(([one]) => one.format === format)
  const secondsOf = (runs: readonly CommandSample[]) => median(runs.map(({ seconds }) => seconds))
  /** The seconds of the fastest peer that writes to this table. */
  const baselineOf = (table: string): number | undefined => {
    const peers = ours.filter(([one]) => one.isPeer && one.table === table)
    return peers.length === 0 ? undefined : Math.min(...peers.map(([, runs]) => secondsOf(runs)))
  }
  return {
    title: `A file of ${rows.toLocaleString('en')} rows, ${format}`,
    header: ['', 'seconds', 'rows/s', 'times its peer', 'CPU s: client', 'CPU s: server', 'MB'],
    rows: ours.map(([{ title, table }, runs]) => {
      const baseline = baselineOf(table)
      const seconds = summarize(runs.map(run => run.seconds))
      return [
        title,
        showSummary(seconds),
        Math.round(rows / seconds.median).toLocaleString('en'),
        baseline === undefined ? '–' : significant(baseline / seconds.median),
        cpu(runs.map(run => run.clientCpu)),
        cpu(runs.map(run => run.serverCpu)),
        mostOf(runs.map(run => run.megabytes)),
      ]
    }),
  }
}

function cpu(samples: readonly (number | undefined)[]): string {
  const known = samples.filter(sample => sample !== undefined)
  return known.length === 0 ? '–' : showSummary(summarize(known))
}

function mostOf(samples: readonly (number | undefined)[]): string {
  const known = samples.filter(sample => sample !== undefined)
  return known.length === 0 ? '–' : Math.round(Math.max(...known)).toLocaleString('en')
}
