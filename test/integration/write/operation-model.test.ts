import { expect } from 'chai'
import fc from 'fast-check'
import { useDatabase } from '../../support/database.ts'
import { usePools } from '../../support/pools.ts'
import { METHODS, options, valuesOf, write } from '../../support/writing.ts'

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

/** Of each batch the last change of a key is carried out; a NULL key is never another's. */
function model(written: readonly Change[][], update?: readonly string[]): Stored[] {
  let table: Stored[] = []
  for (const batch of written) {
    const stored = batch.map(({ op, row: { a, b = 'd', v = 7, w = 'none' } }) => ({
      op,
      row: [a, b, v, w] as Stored,
    }))
    for (const [index, { op, row }] of stored.entries()) {
      const same = (other: Stored): boolean => row[0] !== null && other[0] === row[0] && other[1] === row[1]
      if (stored.slice(index + 1).some(later => same(later.row))) continue
      const existing = table.find(same)
      if (op === 'delete') table = table.filter(other => !same(other))
      else if (!existing) table.push([...row])
      else {
        if (!update || update.includes('v')) existing[2] = row[2]
        if (!update || update.includes('w')) existing[3] = row[3]
      }
    }
  }
  return table.sort(compareAsJson)
}

function compareAsJson(one: unknown, other: unknown): number {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)]
  return a < b ? -1 : a > b ? 1 : 0
}

describe('upserts and deletes of any batches', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const way of METHODS) {
    for (const update of [undefined, ['v']] as const) {
      it(`leave what the last change of each key says, by ${way.title}, update: ${update ?? 'all'}`, async () => {
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
            expect(stored.sort(compareAsJson)).to.deep.equal(model(written, update))
            expect(stats.rowsCommitted).to.equal(written.flat().length)
          }),
          { numRuns: 60, seed: 20_261_123 },
        )
        expect(deleted).to.be.at.least(100)
      })
    }
  }
})
