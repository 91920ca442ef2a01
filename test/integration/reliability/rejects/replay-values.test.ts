import { readFile, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import type { RejectedRow } from '../../../../lib/write/rejects/dead-letter.ts'
import { ndjsonDeadLetter } from '../../../../lib/write/rejects/ndjson-dead-letter.ts'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { SEED } from '../../../support/thorough.ts'
import { COLUMNS, CREATE_TYPES, TEXT_ONLY } from '../../../support/values/columns.ts'
import { oddValues } from '../../../support/values/index.ts'
import { batchesOf, valuesOf } from '../../../support/writing.ts'
import { run } from '../../cli/support.ts'

/** FAST_CHECK_RUNS looks for longer. */
const VALUES_A_TYPE = 12 * Number(process.env.FAST_CHECK_RUNS ?? 1)

const ZONES = ['UTC', 'Asia/Tokyo', 'America/St_Johns'] as const

type Row = Record<string, unknown>

/** A row whose values are nowhere but in getters of its prototype. */
function hidden(row: Row): Row {
  const getters = Object.keys(row).map(key => [key, { get: () => row[key], enumerable: true }])
  return Object.create(Object.defineProperties({}, Object.fromEntries(getters)))
}

describe('rejected, fixed and replayed, a row is what would have been stored', function () {
  this.timeout(240_000)
  const db = useDatabase()
  const file = useFolder()
  const zone = process.env.TZ
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  before(() => db.pool.query(CREATE_TYPES))

  const write = async (
    rows: readonly Row[],
    table: string,
    extra: object = {},
  ): Promise<RejectedRow<Row>[]> => {
    const rejected: RejectedRow<Row>[] = []
    const sink = new PgBatchWritable<Row>({
      pool: db.pool,
      table,
      rejectLimit: Number.POSITIVE_INFINITY,
      ...extra,
    })
    sink.on('reject', reject => void rejected.push(reject as RejectedRow<Row>))
    await pipeline(Readable.from(batchesOf(rows, 100)), sink)
    return rejected
  }

  for (const timeZone of ZONES) {
    for (const [title, types] of [
      ['types that travel as binary', COLUMNS.filter(([type]) => !TEXT_ONLY.has(type))],
      ['types that travel as text', COLUMNS.filter(([type]) => TEXT_ONLY.has(type))],
    ] as const) {
      it(`${title}, in ${timeZone}, by library and by command`, async () => {
        process.env.TZ = timeZone
        const columns = types.map(([type], index) => `c${index} ${type}`).join(', ')
        await db.pool.query(`
          DROP TABLE IF EXISTS good, bad;
          CREATE TABLE good (id int, ok bool, ${columns});
          CREATE TABLE bad (LIKE good, CHECK (ok))`)
        const stored = async (table: string): Promise<Map<unknown, unknown>> => {
          const all = types.map((_, index) => `c${index}`).join(', ')
          const text = `SELECT id, ROW(${all})::text || encode(record_send(ROW(${all})), 'hex') FROM ${table}`
          return new Map(await valuesOf(db.pool, text).then(rows => rows as [unknown, unknown][]))
        }
        const rows: Row[] = []
        for (const [index, [, arbitrary]] of types.entries()) {
          const value = fc.oneof({ weight: 5, arbitrary }, { weight: 1, arbitrary: oddValues })
          for (const each of fc.sample(value, { seed: SEED + index, numRuns: VALUES_A_TYPE })) {
            rows.push({ id: rows.length, ok: true, [`c${index}`]: each })
          }
        }
        await write(rows, 'good')
        const expected = await stored('good')
        expect(expected.size, 'values that the server took').to.be.greaterThan(rows.length / 4)

        const path = await file(`${timeZone.replace('/', '-')}-${types.length}.ndjson`, '')
        const deadLetter = ndjsonDeadLetter(path)
        const bad = rows
          .map(row => ({ ...row, ok: false }))
          .map((row, index) => (index % 2 ? row : hidden(row)))
        const rejected = await write(bad, 'bad', { deadLetter })
        deadLetter.end()
        expect(rejected).to.have.length(rows.length)
        expect(await valuesOf(db.pool, 'SELECT * FROM bad')).to.deep.equal([])

        // what has no text is what no text could be sent of, or bytes that only `pg` would send as such
        const texts = rejected.filter(({ withoutText }) => Object.keys(withoutText).length === 0)
        const lost = rejected.filter(({ withoutText }) => Object.keys(withoutText).length > 0)
        for (const { item, withoutText } of lost) {
          if (expected.has(item.id)) expect(Object.values(withoutText)[0]).to.match(/^\\x|toPostgres/)
          expected.delete(item.id)
        }
        expect(lost.length).to.be.lessThan(rows.length / 10)

        await write(
          texts.map(({ values }) => ({ ...values, ok: 'true' })),
          'bad',
        )
        expect(await stored('bad'), 'by library').to.deep.equal(expected)

        await db.pool.query('TRUNCATE bad')
        const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
        expect(lines).to.have.length(rows.length)
        const fixed = lines.map(line => {
          const letter = JSON.parse(line)
          return JSON.stringify({ ...letter, row: { ...letter.row, ok: 'true' } })
        })
        await writeFile(path, fixed.join('\n'))
        const ended = await run(['load', path, '-t', 'bad', '--rejects', `${path}.again`], {
          DATABASE_URL: db.connectionString,
        })
        expect(ended.status, ended.stderr).to.equal(0)
        expect(await stored('bad'), 'by command').to.deep.equal(expected)
      })
    }
  }
})
