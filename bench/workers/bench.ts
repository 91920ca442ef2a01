import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { buildCommand } from '../../test/support/processes/build-command.ts'
import { writeCsv } from '../load/row-files.ts'
import { runCommand } from '../load/timed-command.ts'
import { type Bench, BenchUnavailable } from '../support/bench.ts'
import { bar } from '../support/chart.ts'
import { processCpu } from '../support/cpu-time.ts'
import { interleaved } from '../support/interleaved.ts'
import { describeRows } from '../support/rows.ts'
import { showSummary, significant, summarize } from '../support/statistics.ts'
import { makeTable, TABLE } from '../support/table.ts'
import { DiscardingProxy } from './discarding-proxy.ts'

const ROWS = 4_000_000
const QUICK_ROWS = 1_000_000
const WORKERS = [1, 2] as const

type Workers = (typeof WORKERS)[number]

interface WorkersSample {
  readonly seconds: number
  readonly cpu: number
  /** CPU seconds of the sink, which is this process. */
  readonly sinkCpu: number
  /** The bytes of rows that the sink has discarded. */
  readonly bytes: number
}

export const bench: Bench = {
  name: 'workers',
  question: 'What do two threads of `pg-batch load --workers` gain and cost, where the server is no limit?',
  repeats: 5,
  minutes: 3,
  async run({ rows: wanted, repeats, quick, connectionString, log }) {
    if (!processCpu('self')) throw new BenchUnavailable('It reads the CPU time of processes in /proc')
    const rows = wanted ?? (quick ? QUICK_ROWS : ROWS)
    const server = new URL(await connectionString())
    await prepareTable(server.href)
    const proxy = await DiscardingProxy.start(Number(server.port))
    server.port = String(proxy.port)
    const command = buildCommand()
    const folder = await mkdtemp(join(tmpdir(), 'pg-batch-bench-workers-'))
    try {
      const file = join(folder, 'rows.csv')
      await writeCsv(file, rows)
      const load = [
        process.execPath,
        command.main,
        'load',
        file,
        '--table',
        TABLE,
        '-d',
        server.href,
      ] as const
      const samples = await interleaved(
        WORKERS,
        repeats,
        workers => timeLoad([...load, '--quiet', '--workers', `${workers}`], proxy),
        (round, workers, { seconds, cpu }) =>
          log(
            `workers: round ${round} of ${repeats}: ${workers}: ${significant(seconds)} s, CPU ${significant(cpu)} s`,
          ),
      )
      checkBytes([...samples.values()].flat())
      const of = (workers: Workers, measure: 'seconds' | 'cpu' | 'sinkCpu') =>
        samples.get(workers)!.map(sample => sample[measure])
      const ratios = (measure: 'seconds' | 'cpu', of1: readonly number[]) =>
        of(2, measure).map((value, round) => value / of1[round]!)
      const cores = availableParallelism()
      const busiest = of(2, 'cpu').map((cpu, round) => (cpu + of(2, 'sinkCpu')[round]!) / cores)
      return {
        caveat:
          'The sink takes CPU as well, from the same cores: with two cores the rate of two threads is bounded by ' +
          'them.',
        method: `${describeRows()} ${rows.toLocaleString('en')} of them, as a CSV file that the kernel has in memory, go
through a proxy that passes everything on to the server except the rows: it discards them, and ends each COPY
without a row. Each run is the command as it is published, from the start of its process to its end; that all
runs have sent as many bytes of rows, up to the headers of COPYs, is checked. CPU seconds are the user's and the kernel's of all threads of the
command. The most that the cores allow is the rate if all of them did work of the command or of the sink, and nothing
else, from the start to the end. The runs take turns; each cell is the median of ${repeats}, the least and the
greatest in brackets. The ratios are those of each round.`,
        tables: [
          {
            title: `A CSV file of ${rows.toLocaleString('en')} rows into a sink`,
            header: ['', 'seconds', 'rows/s', 'CPU s', 'CPU s: sink'],
            rows: WORKERS.map(workers => [
              `--workers ${workers}`,
              showSummary(summarize(of(workers, 'seconds'))),
              Math.round(rows / summarize(of(workers, 'seconds')).median).toLocaleString('en'),
              showSummary(summarize(of(workers, 'cpu'))),
              showSummary(summarize(of(workers, 'sinkCpu'))),
            ]),
          },
          {
            title: 'Two workers, compared with one',
            header: ['', 'of one'],
            rows: [
              ['rate', showSummary(summarize(ratios('seconds', of(1, 'seconds')).map(ratio => 1 / ratio)))],
              [
                `the most that ${cores} cores allow`,
                showSummary(summarize(of(1, 'seconds').map((seconds, round) => seconds / busiest[round]!))),
              ],
              ['CPU', showSummary(summarize(ratios('cpu', of(1, 'cpu'))))],
            ],
          },
        ],
        chart: {
          kind: 'bars',
          title: 'CPU of a load by one and by two workers',
          subtitle: `CPU seconds for ${rows.toLocaleString('en')} rows of CSV; less is better`,
          better: 'less',
          bars: WORKERS.map(workers => bar(`--workers ${workers}`, 'ours', of(workers, 'cpu'))),
        },
      }
    } finally {
      command.remove()
      await rm(folder, { recursive: true })
      await proxy.stop()
    }
  },
}

async function prepareTable(connectionString: string): Promise<void> {
  const pool = new pg.Pool({ connectionString, max: 1 })
  await makeTable(pool)
  await pool.end()
}

/** The bytes of the headers of COPYs may differ, as a share. */
const HEADERS = 0.001

/** @throws if a run has not sent what the others have */
function checkBytes(samples: readonly WorkersSample[]): void {
  const all = samples.map(({ bytes }) => bytes)
  if (Math.min(...all) > 0 && Math.max(...all) / Math.min(...all) - 1 < HEADERS) return
  throw new Error(`The runs have sent different numbers of bytes of rows: ${all.join(', ')}`)
}

async function timeLoad(
  words: readonly [string, ...string[]],
  proxy: DiscardingProxy,
): Promise<WorkersSample> {
  const bytesBefore = proxy.bytes
  const before = processCpu('self')!
  const started = performance.now()
  await runCommand(words[0], words.slice(1))
  const seconds = (performance.now() - started) / 1000
  const after = processCpu('self')!
  const [cpu, sinkCpu] = [after.children - before.children, after.own - before.own]
  return { seconds, cpu, sinkCpu, bytes: proxy.bytes - bytesBefore }
}
