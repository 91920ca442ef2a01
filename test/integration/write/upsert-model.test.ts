import { expect } from 'chai'
import fc from 'fast-check'
import { useDatabase } from '../../support/database.ts'
import { usePools } from '../../support/pools.ts'
import { valuesOf, write } from '../../support/writing.ts'

interface Row {
  a: number | null
  b?: string
  v?: number | null
  w?: string
}

const fields = {
  a: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.constant(null)),
  b: fc.constantFrom('x', 'y', 'd'),
  v: fc.oneof(fc.integer({ min: 0, max: 99 }), fc.constant(null)),
  w: fc.string({ unit: fc.constantFrom('a', '\\', '\t', 'é'), maxLength: 3 }),
}

/** Batches of rows in which all but the required keys may be missing. */
function batchesWith(...requiredKeys: ('a' | 'b')[]): fc.Arbitrary<Row[][]> {
  const row = fc.record(fields, { requiredKeys }) as fc.Arbitrary<Row>
  return fc.array(fc.array(row, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 5 })
}

const SOURCES = [
  { title: 'with whole keys', batches: batchesWith('a', 'b') },
  { title: 'with parts of keys left to a constant DEFAULT', batches: batchesWith('a') },
] as const

type Stored = [a: number | null, b: string, v: number | null, w: string]

/**
 * What row after row should leave behind: a key that is there is overwritten (its missing columns by their
 * DEFAULT), a NULL key never is. Of a batch that updates, only the last row of each key counts.
 */
function model(
  written: readonly Row[][],
  action: 'update' | 'nothing',
  update?: readonly string[],
): Stored[] {
  const table: Stored[] = []
  for (const batch of written) {
    const stored = batch.map(({ a, b = 'd', v = 7, w = 'none' }): Stored => [a, b, v, w])
    for (const [index, next] of stored.entries()) {
      const same = (other: Stored) => next[0] !== null && other[0] === next[0] && other[1] === next[1]
      if (action === 'update' && stored.slice(index + 1).some(same)) continue
      const existing = table.find(same)
      if (!existing) table.push([...next])
      else if (action === 'update') {
        if (!update || update.includes('v')) existing[2] = next[2]
        if (!update || update.includes('w')) existing[3] = next[3]
      }
    }
  }
  return table.sort(compareAsJson)
}

function compareAsJson(one: unknown, other: unknown): number {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)]
  return a < b ? -1 : a > b ? 1 : 0
}

const WAYS = [
  { method: 'copy', copyFormat: 'binary' },
  { method: 'copy', copyFormat: 'text' },
  { method: 'insert' },
  { method: 'auto' },
] as const

const CONFLICTS: readonly { action: 'update' | 'nothing'; update?: readonly ('v' | 'w')[] }[] = [
  { action: 'update' },
  { action: 'nothing' },
  { action: 'update', update: ['v'] },
]

describe('upserts of any batches', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  const cases = SOURCES.flatMap(source =>
    CONFLICTS.flatMap(conflict => WAYS.map(way => ({ ...source, conflict, way }))),
  )
  expect(cases).to.have.length(24)

  for (const { title, batches, conflict, way } of cases) {
    it(`${title}, leave what row after row would: ${JSON.stringify({ ...conflict, ...way })}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS model;
          CREATE TABLE model (a int, b text DEFAULT 'd', v int DEFAULT 7, w text DEFAULT 'none', UNIQUE (a, b))`)
      const { pool } = makePool()
      let runs = 0
      await fc.assert(
        fc.asyncProperty(batches, async written => {
          runs++
          await db.pool.query('DELETE FROM model')
          await write(written, {
            pool,
            table: 'model',
            onConflict: { target: ['a', 'b'], ...conflict },
            ...way,
          })
          const stored = await valuesOf(db.pool, 'SELECT a, b, v, w FROM model')
          expect(stored.sort(compareAsJson)).to.deep.equal(model(written, conflict.action, conflict.update))
        }),
        { numRuns: 40, seed: 20_261_123 },
      )
      expect(runs).to.be.at.least(40)
    })
  }
})
