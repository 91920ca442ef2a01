import { expect } from 'chai'
import fc from 'fast-check'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { thorough } from '../../../support/thorough.ts'
import { METHODS, options, valuesOf, write } from '../../../support/writing.ts'

interface Change {
  op: 'upsert' | 'delete'
  row: { a: number | null; b?: string; v?: number | null; w?: string }
}

const keys = { a: fc.integer({ min: 1, max: 3 }), b: fc.constantFrom('x', 'd') }
const rest = {
  v: fc.oneof(fc.integer({ min: 0, max: 99 }), fc.constant(null)),
  w: fc.string({ unit: fc.constantFrom('a', '\\', '\t', 'é'), maxLength: 3 }),
}
const upsert = fc
  .record(
    { ...keys, a: fc.oneof({ weight: 9, arbitrary: keys.a }, fc.constant(null)), ...rest },
    { requiredKeys: ['a'] },
  )
  .map(row => ({ op: 'upsert', row }) as Change)
const deletion = fc
  .record({ ...keys, ...rest }, { requiredKeys: ['a', 'b'] })
  .map(row => ({ op: 'delete', row }) as Change)
const changes = fc.array(fc.oneof(upsert, deletion), { minLength: 1, maxLength: 10 })
const batches = fc.array(changes, { minLength: 1, maxLength: 5 })

type Stored = [a: number | null, b: string, v: number | null, w: string]

/**
 * The rows that one change after the other should leave, and how many changed something; NULL keys are never
 * equal.
 */
function model(
  written: readonly Change[][],
  update?: readonly string[],
): { table: Stored[]; changed: number } {
  let table: Stored[] = []
  let changed = 0
  for (const { op, row } of written.flat()) {
    const { a, b = 'd', v, w } = row
    const existing = table.find(other => a !== null && other[0] === a && other[1] === b)
    const sets = { v: v !== undefined && (!update || update.includes('v')), w: w !== undefined && !update }
    if (op === 'delete' ? existing : !existing || sets.v || sets.w) changed++
    if (op === 'delete') table = table.filter(other => other !== existing)
    else if (!existing) table.push([a, b, v === undefined ? 7 : v, w ?? 'none'])
    else {
      if (sets.v) existing[2] = v!
      if (sets.w) existing[3] = w!
    }
  }
  return { table: table.sort(compareAsJson), changed }
}

function compareAsJson(one: unknown, other: unknown): number {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)]
  return a < b ? -1 : a > b ? 1 : 0
}

const RUNS = thorough(32)

describe('upserts and deletes of any batches', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const way of METHODS) {
    for (const update of [undefined, ['v']] as const) {
      it(`leave the same as change by change, by ${way.title}, update: ${update ?? 'all'}`, async () => {
        await db.pool.query(`DROP TABLE IF EXISTS model;
          CREATE TABLE model (a int, b text DEFAULT 'd', v int DEFAULT 7, w text DEFAULT 'none', UNIQUE (a, b))`)
        const { pool } = makePool()
        let deleted = 0
        await fc.assert(
          fc.asyncProperty(batches, async written => {
            await db.pool.query('TRUNCATE model')
            deleted += written.flat().filter(({ op }) => op === 'delete').length
            const { stats } = await write<Change, Change['row']>(written, {
              pool,
              table: 'model',
              toRow: ({ row }) => row,
              operation: ({ op }) => op,
              onConflict: { target: ['a', 'b'], action: 'update', ...(update ? { update } : {}) },
              ...options(way),
            })
            const stored = await valuesOf(db.pool, 'SELECT a, b, v, w FROM model')
            const { table, changed } = model(written, update)
            expect(stored.sort(compareAsJson)).to.deep.equal(table)
            expect(stats.rowsCommitted).to.equal(changed)
          }),
          { numRuns: RUNS },
        )
        expect(deleted).to.be.at.least((RUNS * 5) / 3)
      })
    }
  }
})
