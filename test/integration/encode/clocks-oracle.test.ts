import { expect } from 'chai'
import fc from 'fast-check'
import type pg from 'pg'
import { useDatabase } from '../../support/servers/database.ts'
import { thorough } from '../../support/thorough.ts'
import { dateLikes, dates, intervals, times } from '../../support/values/index.ts'
import { expectAsPg } from './as-pg.ts'
import { Storage } from './storage.ts'

/**
 * Zones with summer time, half hours, skipped days, and offsets that had seconds (Monrovia's until 1972);
 * minutes west in 2020.
 */
const ZONES: readonly (readonly [string, number])[] = [
  ['UTC', 0],
  ['America/New_York', 300],
  ['Asia/Kolkata', -330],
  ['Pacific/Apia', -840],
  ['Europe/Amsterdam', -60],
  ['Africa/Monrovia', 0],
  ['America/St_Johns', 210],
]

/** What a session may set that changes how the server reads or writes times. */
const SETTINGS = [
  "SET datestyle = 'SQL, DMY'; SET timezone = 'America/New_York'; SET intervalstyle = 'sql_standard'",
  "SET datestyle = 'German, YMD'; SET timezone = 'Asia/Kathmandu'; SET intervalstyle = 'iso_8601'",
]

const CASES: readonly (readonly [string, fc.Arbitrary<unknown>])[] = [
  ['date', dateLikes],
  ['timestamp', dateLikes],
  ['timestamptz', dateLikes],
  ['time', times],
  ['timetz', times],
  ['interval', intervals],
]

const DATES = Math.max(50, thorough(150))
const VALUES = Math.max(60, thorough(200))

describe('dates and times are stored as pg stores them', function () {
  this.timeout(60_000)
  let client: pg.PoolClient
  const zone = process.env.TZ
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  after(() => client?.release())
  const db = useDatabase()
  before(async () => {
    client = await db.pool.connect()
  })

  for (const [name, offset] of ZONES) {
    it(`of a process in ${name}`, async () => {
      process.env.TZ = name
      expect(new Date('2020-01-01').getTimezoneOffset(), 'the zone is in force').to.equal(offset)
      for (const sqlType of ['date', 'timestamp', 'timestamptz', 'timestamptz[]', 'timestamp[]', 'text']) {
        const storage = await Storage.open(client, sqlType)
        const some = fc.sample(dates, DATES)
        const list = sqlType.endsWith('[]') ? some.map(date => [date, null]) : some
        expect(await expectAsPg(storage, sqlType, list)).to.be.greaterThan(DATES / 3)
      }
    })
  }

  it('of a Date subclass with another local time', async () => {
    class Clock extends Date {
      override getHours(): number {
        return 7
      }
    }
    for (const sqlType of ['date', 'timestamp', 'text']) {
      const storage = await Storage.open(client, sqlType)
      expect(await expectAsPg(storage, sqlType, [new Clock(0), new Clock(1e12)])).to.equal(2)
    }
  })

  for (const settings of SETTINGS) {
    it(`in a session with ${settings}`, async () => {
      await client.query(settings)
      for (const [sqlType, arbitrary] of CASES) {
        const storage = await Storage.open(client, sqlType)
        expect(await expectAsPg(storage, sqlType, fc.sample(arbitrary, VALUES))).to.be.greaterThan(
          VALUES / 10,
        )
      }
      await client.query('RESET ALL')
    })
  }
})
