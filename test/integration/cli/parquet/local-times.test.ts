import { expect } from 'chai'
import { INTROSPECTION_SQL, introspectionValues } from '../../../../lib/table/introspect.ts'
import { readTable } from '../../../../lib/table/read-table.ts'
import { requireSameTypes, TABLE_CHANGED_SETTING } from '../../../../lib/table/statements.ts'
import { useFolder } from '../../../support/folder.ts'
import { asInt96, type Element, type MadeColumn, parquetOf } from '../../../support/parquet.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

/** A winter, a summer, the hour that a change of clocks repeats, and the one that it skips. */
const LOCAL = [
  '2026-01-05 10:00:00.000001',
  '2026-07-05 10:00:00',
  '2026-10-25 02:30:00',
  '2026-03-29 02:30:00',
  '1969-12-31 23:59:59.999999',
  '0001-01-01 00:00:00',
]

const MICROS: Element = {
  type: 'INT64',
  logical_type: { type: 'TIMESTAMP', unit: 'MICROS', isAdjustedToUTC: false },
}
const TWELVE_BYTES: Element = { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 12, repetition_type: 'REQUIRED' }

const microsOf = (text: string): bigint => {
  const [, second, fraction = ''] = /^([^.]*)\.?(\d*)$/.exec(text)!
  return BigInt(Date.parse(`${second!.replace(' ', 'T')}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

/** Nanoseconds of the day, and the Julian day. */
function int96Of(micros: bigint): Uint8Array {
  const perDay = 86_400_000_000n
  const ofDay = ((micros % perDay) + perDay) % perDay
  const stored = Buffer.alloc(12)
  stored.writeBigInt64LE(ofDay * 1000n)
  stored.writeInt32LE(Number((micros - ofDay) / perDay) + 2_440_588, 8)
  return new Uint8Array(stored)
}

describe('pg-batch load of Parquet with times without a zone', () => {
  const database = useDatabase()
  const write = useFolder()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS at; DROP DOMAIN IF EXISTS instant; CREATE DOMAIN instant AS timestamptz;
      CREATE TABLE at (id int, old timestamptz, new timestamptz(3), behind instant)`),
  )

  for (const zone of ['UTC', 'Etc/UTC', 'Europe/Berlin', 'America/St_Johns']) {
    it(`stores what the server makes of their texts: ${zone}`, async () => {
      const micros = LOCAL.map(microsOf)
      const columns: MadeColumn[] = [
        { name: 'id', schema: [{ type: 'INT32' }], data: LOCAL.map((_, i) => i) },
        { name: 'old', schema: [TWELVE_BYTES], data: micros.map(int96Of), encoding: 'PLAIN' },
        { name: 'new', schema: [MICROS], data: micros, encoding: 'PLAIN' },
        { name: 'behind', schema: [MICROS], data: micros, encoding: 'RLE_DICTIONARY' },
      ]
      const path = await write('times.parquet', asInt96(parquetOf(columns)))
      const words = ['load', path, '--table', 'at', '-d', database.connectionString]
      expect(await run(words, { PGTZ: zone })).to.include({ status: 0 })
      const client = await database.pool.connect()
      try {
        await client.query(`SET TimeZone = '${zone}'`)
        const { rows } = await client.query(
          `SELECT at.id FROM at JOIN unnest($1::text[]) WITH ORDINALITY u(text, n) ON u.n = at.id + 1
          WHERE old = text::timestamptz AND new = text::timestamptz(3) AND behind = text::timestamptz
          ORDER BY at.id`,
          [LOCAL],
        )
        expect(rows.map(({ id }) => LOCAL[id])).to.deep.equal(LOCAL)
      } finally {
        client.release(true)
      }
    })
  }

  it('are instants only as long as the session is in UTC', async () => {
    const client = await database.pool.connect()
    try {
      await client.query("SET TimeZone = 'UTC'")
      const { rows } = await client.query(INTROSPECTION_SQL, introspectionValues({ name: 'at' }))
      const { columns } = readTable(rows[0])
      expect(columns.map(({ type }) => type.inUtc === true)).to.deep.equal([false, true, true, true])
      const check = (sendsLocalTimes: boolean) =>
        client.query(requireSameTypes({ name: 'at' }, columns, { sendsLocalTimes }))
      await check(true)
      await client.query("SET TimeZone = 'Europe/Berlin'")
      const error = await check(true).catch(error => error)
      expect(error.message).to.include(TABLE_CHANGED_SETTING)
      await check(false)
    } finally {
      client.release(true)
    }
  })
})
