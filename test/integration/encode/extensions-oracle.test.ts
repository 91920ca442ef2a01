import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import type pg from 'pg'
import { BatchTransform } from '../../../lib/batch/batch-transform.ts'
import { codecFor } from '../../../lib/encode/codecs/codec-for.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { readPage } from '../../support/pages/pages.ts'
import { PgliteServer } from '../../support/servers/pglite.ts'
import { thorough } from '../../support/thorough.ts'
import { geoJsons, geometries, geometryTexts } from '../../support/values/geometries.ts'
import { sparseVectors, vectors } from '../../support/values/vectors.ts'
import { METHODS, options, valuesOf, write } from '../../support/writing.ts'
import { expectAsPg } from './as-pg.ts'
import { pgliteAccess } from './pglite-access.ts'
import { Storage } from './storage.ts'

/** FAST_CHECK_RUNS looks for longer. */
const RUNS = Number(process.env.FAST_CHECK_RUNS ?? thorough(2))
const VALUES_A_RUN = 60

const COLUMNS: readonly (readonly [string, fc.Arbitrary<unknown>])[] = [
  ['vector', vectors],
  ['vector(3)', vectors],
  ['halfvec', vectors],
  ['halfvec(3)', vectors],
  ['sparsevec', sparseVectors],
  ['sparsevec(3)', sparseVectors],
  ['vector[]', fc.array(vectors, { maxLength: 3 })],
  ['embedding', vectors],
  ['geometry', geometries],
  ['geometry(Point,4326)', geometries],
  ['geometry(Polygon)', geometries],
  ['geography', geometryTexts],
  ['geography(Point,4326)', geometryTexts],
  ['geometry[]', fc.array(geometries, { maxLength: 3 })],
]

/** A value of each type, in each form, and what the server shows. */
const POINT = { type: 'Point', coordinates: [1, 2] }
const HEX = '00000000013ff00000000000004000000000000000'
const ROWS = [
  { v: [1, 2.5], h: Float32Array.of(1, 2.5), s: [0, 2.5], g: POINT, p: POINT },
  { v: '[1,2.5]', h: [1, 2.5], s: '{2:2.5}/2', g: Buffer.from(HEX, 'hex'), p: Buffer.from(HEX, 'hex') },
  { v: Float64Array.of(1, 2.5), h: '[1, 2.5]', s: Float32Array.of(0, 2.5), g: HEX, p: HEX },
]
const STORED = ['[1,2.5]', '[1,2.5]', '{2:2.5}/2', 'SRID=3857;POINT(1 2)', 'SRID=4326;POINT(1 2)']

describe('types of pgvector and PostGIS', function () {
  this.timeout(300_000) // a busy machine needs half a minute to start PGlite
  let server: PgliteServer
  let pool: pg.Pool

  before(async () => {
    server = await PgliteServer.start()
    pool = server.pool()
    await pool.query('CREATE DOMAIN embedding AS vector CHECK (vector_dims(VALUE) > 1)')
  })
  after(async () => {
    await pool?.end()
    await server?.stop()
  })

  for (const [sqlType, arbitrary] of COLUMNS) {
    it(`${sqlType} is stored alike by INSERT, text COPY and binary COPY`, async () => {
      const client = await pool.connect()
      try {
        const storage = await Storage.open(client, sqlType, await pgliteAccess(client))
        expect(storage.canBeBinary).to.equal(true)
        let stored = 0
        const list = fc.array(arbitrary, { minLength: VALUES_A_RUN, maxLength: VALUES_A_RUN, size: 'max' })
        const property = fc.asyncProperty(list, async values => {
          stored += await expectAsPg(storage, sqlType, values)
        })
        const result = await fc.check(property, { numRuns: RUNS, endOnFailure: true })
        if (result.failed) throw result.errorInstance
        expect(stored, 'values that the server took').to.be.greaterThan(RUNS * 3)
        expect(storage.binaryFields, 'binary fields').to.be.greaterThan(RUNS * 3)
      } finally {
        client.release()
      }
    })
  }

  it('stores GeoJSON in geography as ST_GeomFromGeoJSON reads it', async () => {
    const client = await pool.connect()
    try {
      const storage = await Storage.open(client, 'geography', await pgliteAccess(client))
      const { binary } = codecFor(storage.column.type)
      expect(binary).to.be.a('function')
      const [values] = fc.sample(fc.array(geoJsons, { minLength: 100, maxLength: 100, size: 'max' }), 1)
      const stored = await storage.byCopyBinary(values!)
      let count = 0
      for (const [i, outcome] of stored.entries()) {
        if (outcome === null) continue
        const text = 'SELECT ST_GeomFromGeoJSON($1)::geography::text AS expected'
        const { rows } = await client.query(text, [JSON.stringify(values![i])])
        expect(outcome.split(' ')[0]).to.equal(rows[0].expected)
        count++
      }
      expect(count).to.be.greaterThan(10)
    } finally {
      client.release()
    }
  })

  it('take the rows of the recipe for embeddings', async () => {
    const blocks = readPage('docs/recipes.md').sections.flatMap(section => section.blocks)
    const code = blocks.find(({ needs }) => needs === 'pgvector')!.code.replace(/^import .*$/gm, '')
    const Program = (async () => {}).constructor as FunctionConstructor
    const query = pool.query.bind(pool)
    const printed: unknown[] = []
    const parts = {
      // the pool of the other tests, which stays open
      pg: {
        Pool: class {
          query = query
          end() {}
          connect() {
            return pool.connect()
          }
        },
      },
      console: { log: (value: unknown) => printed.push(value) },
      ...{ Readable, pipeline, BatchTransform, PgBatchWritable },
    }
    await new Program(...Object.keys(parts), code)(...Object.values(parts))
    expect(printed).to.deep.equal([[{ text: 'a cat' }]])
  })

  for (const way of METHODS) {
    it(`are written by a stream: ${way.title}`, async () => {
      await pool.query(`DROP TABLE IF EXISTS kept; CREATE TABLE kept
        (v vector(2), h halfvec(2), s sparsevec(2), g geometry(Point,3857), p geography)`)
      await write<object>([ROWS], { pool, table: 'kept', ...options(way) })
      const text = 'SELECT v::text, h::text, s::text, ST_AsEWKT(g), ST_AsEWKT(p::geometry) FROM kept'
      expect(await valuesOf(pool, text)).to.deep.equal([STORED, STORED, STORED])
    })
  }
})
