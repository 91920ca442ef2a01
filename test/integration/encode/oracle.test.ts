import { expect } from 'chai'
import fc from 'fast-check'
import type pg from 'pg'
import { useDatabase } from '../../support/database.ts'
import * as values from '../../support/values/index.ts'
import { expectAsPg } from './as-pg.ts'
import { Storage } from './storage.ts'

/** FAST_CHECK_SEED and FAST_CHECK_RUNS look elsewhere, or for longer. */
const SEED = Number(process.env.FAST_CHECK_SEED ?? 20261123)
const RUNS = Number(process.env.FAST_CHECK_RUNS ?? 2)
const VALUES_A_RUN = 60

const {
  integers,
  doubles,
  numerics,
  booleans,
  awkwardText,
  dateLikes,
  times,
  intervals,
  uuids,
  networks,
  bytes,
  jsons,
  arraysOf,
} = values

const label = fc.oneof(
  fc.constantFrom('sad', 'ok', 'very happy', 'Ünï "q"', 'SAD', ' ok', 'x'.repeat(63)),
  awkwardText,
)
const label3: fc.Arbitrary<unknown> = label

/** With few enough decimals for a parameter without scale: see parameter.ts. */
const shortNumerics = numerics.filter(value => !/e-?\d{4}|\.\d{9999}/.test(String(value)))

/** A column's type, and what to store in it. */
const COLUMNS: readonly (readonly [string, fc.Arbitrary<unknown>])[] = [
  ['boolean', booleans],
  ['int2', integers],
  ['int4', integers],
  ['int8', integers],
  ['float4', doubles],
  ['float8', doubles],
  ['numeric', numerics],
  ['numeric(6,2)', shortNumerics],
  ['numeric(20,0)', shortNumerics],
  ['text', awkwardText],
  ['varchar', awkwardText],
  ['varchar(5)', awkwardText],
  ['char(5)', awkwardText],
  ['bpchar', awkwardText],
  ['name', awkwardText],
  ['"char"', awkwardText],
  ['mood', label3],
  ['bytea', bytes],
  ['uuid', uuids],
  ['date', dateLikes],
  ['time', times],
  ['time(2)', times],
  ['timetz', times],
  ['timestamp', dateLikes],
  ['timestamp(1)', dateLikes],
  ['timestamptz', dateLikes],
  ['timestamptz(3)', dateLikes],
  ['interval', intervals],
  ['interval(1)', intervals],
  ['inet', networks],
  ['cidr', networks],
  ['json', jsons],
  ['jsonb', jsons],
  ['positive', integers],
  ['cents', shortNumerics],
  ['int4range', fc.constantFrom<unknown>('[1,2)', 'empty', '(,)', 'x')],
  ['point', fc.constantFrom<unknown>('(1,2)', '1,2', 'x')],
  ['pair', fc.constantFrom<unknown>('(1,a)', '(1,"a,b")', '(,)', 'x')],
  ['money', doubles],
  ['bit(3)', fc.constantFrom<unknown>('101', '1', '1111', 'x')],
  ['xml', awkwardText],
  ['boolean[]', arraysOf(booleans)],
  ['int4[]', arraysOf(integers)],
  ['int8[]', arraysOf(integers)],
  ['float8[]', arraysOf(doubles)],
  ['numeric(6,2)[]', arraysOf(shortNumerics)],
  ['text[]', arraysOf(awkwardText)],
  ['varchar(5)[]', arraysOf(awkwardText)],
  ['bytea[]', arraysOf(bytes)],
  ['uuid[]', arraysOf(uuids)],
  ['date[]', arraysOf(dateLikes)],
  ['timestamp[]', arraysOf(dateLikes)],
  ['timestamptz[]', arraysOf(dateLikes)],
  ['interval[]', arraysOf(intervals)],
  ['inet[]', arraysOf(networks)],
  ['json[]', arraysOf(jsons)],
  ['jsonb[]', arraysOf(jsons)],
  ['mood[]', arraysOf(label3)],
  ['positive[]', arraysOf(integers)],
  ['ints', arraysOf(integers)],
]

/** Without a binary form here. */
const TEXT_ONLY = new Set(['"char"', 'int4range', 'point', 'pair', 'money', 'bit(3)', 'xml'])

describe(`what is stored is what pg stores (fast-check seed ${SEED})`, function () {
  this.timeout(120_000)
  let client: pg.PoolClient
  after(() => client?.release()) // before the pool ends
  const db = useDatabase()

  before(async () => {
    await db.pool.query(`
      CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy', 'Ünï "q"', '${'x'.repeat(63)}');
      CREATE TYPE pair AS (a int, b text);
      CREATE DOMAIN positive AS int CHECK (VALUE > 0);
      CREATE DOMAIN money_base AS numeric(8,2);
      CREATE DOMAIN cents AS money_base CHECK (VALUE < 1000);
      CREATE DOMAIN ints AS int[] CHECK (cardinality(VALUE) < 3);`)
    client = await db.pool.connect()
    await client.query("SET lc_monetary = 'C'")
  })

  for (const [sqlType, arbitrary] of COLUMNS) {
    it(`${sqlType}, by INSERT, text COPY and binary COPY`, async () => {
      const storage = await Storage.open(client, sqlType)
      expect(storage.canBeBinary).to.equal(!TEXT_ONLY.has(sqlType))
      let stored = 0
      const value = fc.oneof({ weight: 9, arbitrary }, { weight: 1, arbitrary: values.strangers })
      const result = await fc.check(
        fc.asyncProperty(
          fc.array(value, { minLength: VALUES_A_RUN, maxLength: VALUES_A_RUN, size: 'max' }),
          async list => {
            stored += await expectAsPg(storage, sqlType, list)
          },
        ),
        { seed: SEED, numRuns: RUNS, endOnFailure: true },
      )
      if (result.failed) throw result.errorInstance
      expect(stored, 'values that the server took').to.be.greaterThan(RUNS * 3)
      if (storage.canBeBinary) expect(storage.binaryFields, 'binary fields').to.be.greaterThan(RUNS * 3)
    })
  }
})
