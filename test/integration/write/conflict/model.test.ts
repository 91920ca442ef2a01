import { expect } from 'chai'
import fc from 'fast-check'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { thorough } from '../../../support/thorough.ts'
import { valuesOf, write } from '../../../support/writing.ts'

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
 * What row after row should leave behind: of a key that is there the columns that the row brings are
 * overwritten; a NULL key is never another's.
 */
function model(
  written: readonly Row[][],
  action: 'update' | 'nothing',
  update?: readonly string[],
): Stored[] {
  const table: Stored[] = []
  for (const { a, b = 'd', v, w } of written.flat()) {
    const existing = table.find(other => a !== null && other[0] === a && other[1] === b)
    if (!existing) table.push([a, b, v === undefined ? 7 : v, w ?? 'none'])
    else if (action === 'update') {
      if (v !== undefined && (!update || update.includes('v'))) existing[2] = v
      if (w !== undefined && (!update || update.includes('w'))) existing[3] = w
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

const RUNS = thorough(24)

describe('upserts of any batches', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  const cases = SOURCES.flatMap(source =>
    CONFLICTS.flatMap(conflict => WAYS.map(way => ({ ...source, conflict, way }))),
  )
  expect(cases).to.have.length(24)

  for (const { title, batches, conflict, way } of cases) {
    it(`${title}, leave the same as row by row: ${JSON.stringify({ ...conflict, ...way })}`, async () => {
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
        { numRuns: RUNS },
      )
      expect(runs).to.be.at.least(RUNS)
    })
  }
})
