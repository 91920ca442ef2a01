import { readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { numbered, parquetOf } from '../../../support/parquet.ts'
import { run } from '../support.ts'
import { useParquet } from './made-files.ts'

const FLIGHTS = fileURLToPath(
  new URL('../../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url),
)

describe('pg-batch load of Parquet', () => {
  const { database, file, load, query, counts, exactly, text, column } = useParquet()

  it('matches names, with --columns and --map, several files and patterns', async () => {
    const part = (from: number) => {
      const ids = Array.from({ length: 1500 }, (_, i) => from + i)
      return parquetOf([
        column('EVENT_id', { type: 'INT32' }, ...ids),
        column('note', text, ...ids.map(String)),
      ])
    }
    await file('part-1.parquet', part(1))
    const last = await file('part-2.parquet', part(1501))
    const { status, stderr } = await load(
      `${dirname(last)}/part-*.parquet`,
      '-t',
      'events',
      '--map',
      'note=note',
    )
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/took "EVENT_id" for column "Event Id"\n$/)
    expect(await counts('events', '"Event Id"')).to.deep.equal(exactly(3000))
    const chosen = await load(
      last,
      '-t',
      'made',
      '--create',
      '-c',
      'n',
      '--map',
      'EVENT_id=n',
      '--type',
      'n=bigint',
    )
    expect(chosen.stderr).to.equal('CREATE TABLE "made" (\n  "n" bigint\n);\n')
    expect((await counts('made', 'n'))![0]).to.equal(1500)
  })

  it('creates columns that are wide enough for the values of all files', async () => {
    const a = await file(
      'wide-1.parquet',
      parquetOf([column('n', { type: 'INT32' }, 1), column('r', { type: 'FLOAT' }, 1.5)]),
    )
    const b = await file(
      'wide-2.parquet',
      parquetOf([column('r', { type: 'DOUBLE' }, 0.1), column('n', { type: 'INT64' }, 2n ** 40n)]),
    )
    const { stderr } = await load(a, b, '-t', 'made', '--create')
    expect(stderr).to.contain('"n" bigint,\n  "r" double precision\n')
    expect(await query('SELECT n, r FROM made ORDER BY n')).to.deep.equal([
      ['1', 1.5],
      [String(2n ** 40n), 0.1],
    ])
  })

  it('rejects rows with their number in the file and their bytes, for replay', async () => {
    await database.pool.query('CREATE TABLE made (id int CHECK (id <> 1203), raw bytea)')
    const ids = Array.from({ length: 2000 }, (_, i) => i + 1)
    const raw = ids.map(id => Uint8Array.of(id & 255))
    const columns = [column('id', { type: 'INT32' }, ...ids), column('raw', { type: 'BYTE_ARRAY' }, ...raw)]
    const path = await file('bad.parquet', parquetOf(columns, { rowGroupSize: 700 }))
    const rejects = `${path}.rejects`
    const { status, stdout } = await load(path, '-t', 'made', '--rejects', rejects)
    expect(status).to.equal(0)
    expect(stdout).to.match(/^made: 1,999 rows committed .* 1 rejected/)
    const line = JSON.parse(await readFile(rejects, 'utf8'))
    expect(line).to.deep.include({
      source_offset: '1203',
      source_partition: path,
      row: { id: '1203', raw: '\\xb3' },
    })
    await database.pool.query('ALTER TABLE made DROP CONSTRAINT made_id_check')
    const replay = await run(['replay', rejects, '-t', 'made'], { DATABASE_URL: database.connectionString })
    expect(replay.status, replay.stderr).to.equal(0)
    expect(await query('SELECT raw FROM made WHERE id = 1203')).to.deep.equal([[Buffer.of(0xb3)]])
  })

  it('continues with --resume in the middle of a row group', async () => {
    await database.pool.query('CREATE TABLE made (id int CONSTRAINT bad CHECK (id <> 2222), note text)')
    const path = await file('resume.parquet', numbered(5000, { rowGroupSize: 1300 }))
    const words = [path, '-t', 'made', '--resume', 'parquet', '--batch-size', '1000']
    const first = await load(...words)
    expect(first.stderr).to.match(/row 2,222: .*; 2,000 rows committed\n$/)
    await database.pool.query('ALTER TABLE made DROP CONSTRAINT bad')
    const second = await load(...words)
    expect(second.stderr).to.contain('continuing after row 2,000')
    expect(await counts('made')).to.deep.equal(exactly(5000))
    expect((await load(...words)).stdout).to.match(/is complete: all 5,000 rows/)
    await writeFile(path, numbered(5001, { rowGroupSize: 1300 }))
    expect((await load(...words)).stderr).to.match(/has changed since the load parquet began/)
  })

  it('creates an empty table for a file without rows', async () => {
    const path = await file('empty.parquet', numbered(0))
    const { status, stdout, stderr } = await load(path, '-t', 'made', '--create')
    expect(status, stderr).to.equal(0)
    expect(stdout).to.match(/^made: 0 rows committed/)
    expect(await query('SELECT count(*)::int FROM made')).to.deep.equal([[0]])
  })

  it('ends at a damaged page, and reports where it is and how many rows are in the table', async () => {
    const made = numbered(30_000, { rowGroupSize: 10_000, codec: 'GZIP' })
    made.fill(0xff, made.length - (made.length >> 3), made.length - (made.length >> 3) + 100)
    const path = await file('damaged.parquet', made)
    await database.pool.query('CREATE TABLE made (id int, note text)')
    const { status, stderr } = await load(path, '-t', 'made', '--batch-size', '1000')
    const said =
      /damaged\.parquet: row group 3, column "(?:id|note)": the data are damaged or cut off; (nothing|[\d,]+ rows?) committed\n$/
    expect(stderr).to.match(said)
    expect(status).to.equal(1)
    const committed = Number.parseInt(said.exec(stderr)![1]!.replace(',', ''), 10) || 0
    const [rows, distinct] = (await counts('made')) as number[]
    expect({ rows, distinct }).to.deep.equal({ rows: committed, distinct: committed })
    expect(committed).to.be.at.most(20_000)
  })

  it('loads the three million flights of vega-datasets, as hyparquet itself reads them', async function () {
    this.timeout(180_000)
    const { status, stderr, stdout } = await load(FLIGHTS, '-t', 'made', '--create', '--batch-size', '10000')
    expect(status, stderr).to.equal(0)
    expect(stdout).to.match(/^made: 3,000,000 rows committed/)
    const bytes = await readFile(FLIGHTS)
    const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    const sums = { rows: 0, ms: 0, delay: 0, distance: 0, lax: 0 }
    for (let rowStart = 0; rowStart < 3_000_000; rowStart += 272_727) {
      const options = {
        file: content,
        compressors,
        rowStart,
        rowEnd: Math.min(rowStart + 272_727, 3_000_000),
      }
      for (const { date, delay, distance, origin } of await parquetReadObjects(options)) {
        sums.rows++
        sums.ms += (date as Date).getTime() / 60_000
        sums.delay += Number(delay)
        sums.distance += Number(distance)
        if (origin === 'LAX') sums.lax++
      }
    }
    const { rows } = await database.pool.query(`
      SELECT count(*)::int AS rows, sum(extract(epoch FROM date) / 60)::float8 AS ms, sum(delay)::int AS delay,
        sum(distance)::float8 AS distance, count(*) FILTER (WHERE origin = 'LAX')::int AS lax FROM made`)
    expect(rows[0]).to.deep.equal(sums)
    expect(sums.rows).to.equal(3_000_000)
  })
})
