import { expect } from 'chai'
import type { SelfReference } from '../../../../lib/types.ts'
import type { Batch, RowGroup } from '../../../../lib/write/rows/batch.ts'
import { RowSet } from '../../../../lib/write/rows/row-set.ts'
import { RowShapes } from '../../../../lib/write/rows/row-shapes.ts'
import {
  chooseMethods,
  type MethodContext,
  type MethodPlan,
  type RowsByMethod,
} from '../../../../lib/write/send/choose-method.ts'

const COLUMNS = Array.from({ length: 8 }, (_, index) => `c${index}`)
const BATCH = { id: 1 } as Batch<unknown>
const UPSERT = { conflict: {} as MethodPlan['conflict'] }
const PARENT = { selfReferences: [{} as SelfReference] }

function planWith(parts: Partial<MethodPlan> = {}): MethodPlan {
  return {
    conflict: undefined,
    replacement: undefined,
    selfReferences: [],
    ordersRows: false,
    mixesShapes: 'some',
    shapes: new RowShapes(COLUMNS, []),
    ...parts,
  }
}

/** Groups of these many rows, each with a shape of its own. The last shape of 256 has no columns. */
function groupsOf(plan: MethodPlan, ...counts: number[]): RowGroup[] {
  return counts.map((count, shape) => ({
    batch: BATCH,
    shape: plan.shapes.without(COLUMNS.map((_, bit) => ((shape >> bit) & 1 ? `${bit},` : '')).join('')),
    rows: new RowSet(Array.from({ length: count }, () => ({}))),
  }))
}

function choose(plan: MethodPlan, counts: number[], context: Partial<MethodContext> = {}): RowsByMethod {
  const state = { wanted: 'auto', current: undefined, sentRows: 0, inPieces: false, ...context } as const
  return chooseMethods(groupsOf(plan, ...counts), plan, state)
}

/** How many rows each method has for each of its groups. */
function counts({ copy, insert }: RowsByMethod) {
  const lengths = (groups: readonly RowGroup[]) => groups.map(({ rows }) => rows.length)
  return { copy: lengths(copy), insert: lengths(insert) }
}

describe('chooseMethods', () => {
  it('sends rows of a single shape by COPY, even one row', () => {
    expect(counts(choose(planWith(), [1]))).to.deep.equal({ copy: [1], insert: [] })
  })

  it('sends rows without columns by INSERT', () => {
    const plan = planWith({ shapes: new RowShapes([], []) })
    expect(counts(choose(plan, [5]))).to.deep.equal({ copy: [], insert: [5] })
  })

  it('sends shapes of at least 50 rows by COPY, and the few rows of other shapes by INSERT', () => {
    expect(counts(choose(planWith(), [50, 49]))).to.deep.equal({ copy: [50], insert: [49] })
  })

  it('lets small shapes share one COPY from 50 rows on, unless the plan does not allow it', () => {
    const shared = choose(planWith(), [30, 20])
    expect(counts(shared)).to.deep.equal({ copy: [50], insert: [] })
    expect(shared.copy[0]!.shape.mixed).to.equal(true)
    expect(counts(choose(planWith({ mixesShapes: 'never' }), [30, 20]))).to.deep.equal({
      copy: [],
      insert: [30, 20],
    })
  })

  it('sends shapes whose order matters together: by one COPY, or by INSERT', () => {
    const plan = planWith({ ordersRows: true })
    expect(counts(choose(plan, [60, 60]))).to.deep.equal({ copy: [120], insert: [] })
    expect(counts(choose(plan, [20, 20], { wanted: 'copy' }))).to.deep.equal({ copy: [], insert: [20, 20] })
    const apart = planWith({ ordersRows: true, mixesShapes: 'never' })
    expect(counts(choose(apart, [60, 60]))).to.deep.equal({ copy: [], insert: [60, 60] })
  })

  it("with method 'copy' sends up to 16 shapes by a COPY each, and more than that only if they have 50 rows", () => {
    const plan = planWith({ mixesShapes: 'never' })
    const small = Array.from({ length: 16 }, () => 1)
    expect(counts(choose(plan, small, { wanted: 'copy' })).copy).to.have.length(16)
    expect(counts(choose(plan, [...small, 50], { wanted: 'copy' }))).to.deep.equal({
      copy: [50],
      insert: small,
    })
  })

  it("sends everything by INSERT with method 'insert'", () => {
    const context = { wanted: 'insert' } as const
    expect(counts(choose(planWith(PARENT), [100, 100], context))).to.deep.equal({
      copy: [],
      insert: [100, 100],
    })
  })

  it('sends all shapes by one statement where rows may refer to rows of another shape', () => {
    expect(counts(choose(planWith(PARENT), [100, 100]))).to.deep.equal({ copy: [200], insert: [] })
    expect(counts(choose(planWith(PARENT), [10, 10]))).to.deep.equal({ copy: [], insert: [10, 10] })
    const always = planWith({ ...PARENT, mixesShapes: 'always' })
    expect(counts(choose(always, [10, 10]))).to.deep.equal({ copy: [20], insert: [] })
  })

  it('upserts by COPY from 100 rows on, those of earlier batches of the transaction included', () => {
    const plan = planWith(UPSERT)
    expect(counts(choose(plan, [99]))).to.deep.equal({ copy: [], insert: [99] })
    expect(counts(choose(plan, [99], { sentRows: 1 }))).to.deep.equal({ copy: [99], insert: [] })
    expect(counts(choose(plan, [1], { current: 'copy' }))).to.deep.equal({ copy: [1], insert: [] })
  })

  it('upserts by INSERT where each of many shapes has only a row or two', () => {
    const shapes = (rows: number) => Array.from({ length: 33 }, () => rows)
    expect(choose(planWith(UPSERT), shapes(2), { sentRows: 100 }).insert).to.have.length(33)
    expect(choose(planWith(UPSERT), shapes(3), { sentRows: 100 }).copy).to.have.length(33)
  })

  it('upserts the pieces of a batch by COPY where rows may refer to each other', () => {
    const plan = planWith({ ...UPSERT, ...PARENT })
    expect(counts(choose(plan, [1], { inPieces: true }))).to.deep.equal({ copy: [1], insert: [] })
  })
})
