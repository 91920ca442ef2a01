import { expect } from 'chai'
import fc from 'fast-check'
import type pg from 'pg'
import { useDatabase } from '../../support/servers/database.ts'
import { thorough } from '../../support/thorough.ts'
import { COLUMNS, CREATE_TYPES, TEXT_ONLY } from '../../support/values/columns.ts'
import { oddValues } from '../../support/values/index.ts'
import { expectAsPg } from './as-pg.ts'
import { Storage } from './storage.ts'

/** FAST_CHECK_RUNS looks for longer. */
const RUNS = Number(process.env.FAST_CHECK_RUNS ?? thorough(2))
const VALUES_A_RUN = 60

describe('what is stored is what pg stores', function () {
  this.timeout(120_000)
  let client: pg.PoolClient
  after(() => client?.release()) // before the pool ends
  const db = useDatabase()

  before(async () => {
    await db.pool.query(CREATE_TYPES)
    client = await db.pool.connect()
    await client.query("SET lc_monetary = 'C'")
  })

  for (const [sqlType, arbitrary] of COLUMNS) {
    it(`${sqlType}, by INSERT, arrays, text COPY and binary COPY`, async () => {
      const storage = await Storage.open(client, sqlType)
      expect(storage.canBeBinary).to.equal(!TEXT_ONLY.has(sqlType))
      let stored = 0
      const value = fc.oneof({ weight: 9, arbitrary }, { weight: 1, arbitrary: oddValues })
      const result = await fc.check(
        fc.asyncProperty(
          fc.array(value, { minLength: VALUES_A_RUN, maxLength: VALUES_A_RUN, size: 'max' }),
          async list => {
            stored += await expectAsPg(storage, sqlType, list)
          },
        ),
        { numRuns: RUNS, endOnFailure: true },
      )
      if (result.failed) throw result.errorInstance
      expect(stored, 'values that the server took').to.be.greaterThan(RUNS * 3)
      if (storage.canBeBinary) expect(storage.binaryFields, 'binary fields').to.be.greaterThan(RUNS * 3)
      if (storage.hasBinaryArrays) expect(storage.binaryElements, 'elements').to.be.greaterThan(RUNS * 3)
    })
  }
})
