import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { BENCHES } from '../../../bench/benches.ts'
import { measure as load } from '../../../bench/peers/run.ts'
import { psqlVersion } from '../../../bench/peers/ways/bytes.ts'
import type { Way } from '../../../bench/peers/ways/way.ts'
import { WAYS as PEERS, type WayName as PeerName, waysWith } from '../../../bench/peers/ways.ts'
import { measure as writeFiles } from '../../../bench/peers/write-files.ts'
import { type BenchContext, BenchUnavailable } from '../../../bench/support/bench.ts'
import { renderChart } from '../../../bench/support/chart.ts'
import { type MeasuredModule, measureCompiledInChild } from '../../../bench/support/child.ts'
import { renderTable } from '../../../bench/support/markdown.ts'
import { TABLE } from '../../../bench/support/table.ts'
import { TABLES, type TableName } from '../../../bench/support/tables/index.ts'
import { useDatabase } from '../../support/servers/database.ts'

const ROWS = 40

/** What a bench does in processes of its own is done in this one, where a row costs no second. */
const inThisProcess = (async (module: URL, argument: unknown) => {
  const { measure } = (await import(module.href)) as MeasuredModule
  return JSON.parse(JSON.stringify(await measure(argument as never)))
}) as BenchContext['measure']

describe('the benches', () => {
  const database = useDatabase()
  const lines: string[] = []
  const context: BenchContext = {
    rows: ROWS,
    repeats: 1,
    quick: true,
    table: 'mixed',
    connectionString: async () => database.directConnectionString,
    measure: inThisProcess,
    measureCompiled: inThisProcess,
    log: line => lines.push(line),
  }

  beforeEach(() => {
    lines.length = 0
  })

  it('load: runs the formats that --only names, and says which there are', async () => {
    const { bench } = await BENCHES.load!()
    const titles = (await bench.run({ ...context, only: ['GZIP'] })).tables.map(({ title }) => title)
    expect(titles).to.deep.equal(['A file of 40 rows, CSV, gzip'])
    const refused = await bench.run({ ...context, only: ['gz2'] }).catch((error: Error) => error)
    expect(refused).to.be.instanceOf(BenchUnavailable)
    expect(String(refused)).to.include('Parquet, snappy')
  })

  // the bench of Kafka is tested with Kafka, in test/kafka
  for (const [name, open] of Object.entries(BENCHES).filter(([name]) => name !== 'kafka')) {
    it(`${name}: runs, and shows each run in tables and in a chart`, async () => {
      const { bench } = await open()
      expect(bench.name).to.equal(name)
      const results = await bench.run(context).catch(error => {
        // the CPU time of backends can be read on Linux alone, of a server that is no container's
        const elsewhere =
          process.platform !== 'linux' || Boolean(process.env.DATABASE_URL ?? process.env.PGHOST)
        if (error instanceof BenchUnavailable && elsewhere) return undefined
        throw error
      })
      if (!results) return
      expect(lines).not.to.be.empty
      const text = results.tables.map(renderTable).join('\n')
      expect(text)
        .to.match(/\d/)
        .and.not.match(/NaN|undefined|Infinity/)
      expect(await renderChart(results.chart))
        .to.include(`>${results.chart.title}<`)
        .and.not.match(/NaN/)
    })
  }

  for (const table of Object.keys(TABLES) as TableName[]) {
    it(`peers: every way that has the types stores the same rows of ${table}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'pg-batch-peers-'))
      try {
        const task = { connectionString: database.directConnectionString, table, rows: ROWS }
        const files = await writeFiles({ ...task, folder })
        const stored = async (way: PeerName): Promise<string[]> => {
          await load({ ...task, files, way })
          const { rows } = await database.pool.query<{ row: string }>(
            `SELECT t::text AS row FROM ${TABLE} t ORDER BY 1`,
          )
          return rows.map(({ row }) => row)
        }
        const names = waysWith({ psql: (await psqlVersion()) !== undefined, tokioPostgres: false })
        const expected = await stored('pg, a row a statement')
        expect(expected).to.have.length(ROWS)
        for (const name of names) {
          const rows = await stored(name)
          if ((PEERS[name] as Way).columns) expect(rows, name).to.have.length(ROWS)
          else expect(rows, name).to.deep.equal(expected)
        }
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  }

  it('runs compiled code in a process of its own, without tsx', async () => {
    const task = {
      connectionString: database.directConnectionString,
      rows: ROWS,
      batchRows: 10,
      concurrency: 1,
      samples: 4,
    }
    const run = new URL('../../../bench/memory/run.ts', import.meta.url)
    const { points, idleBytes } = await measureCompiledInChild<typeof import('../../../bench/memory/run.ts')>(
      run,
      task,
    )
    expect(points.at(-1)?.rows).to.equal(ROWS)
    expect(idleBytes).to.be.greaterThan(0)
  })
})
