import { expect } from 'chai'
import { parentsFirst } from '../../../../lib/write/isolate/parents-first.ts'
import type { TablePlan } from '../../../../lib/write/plan/table-plan.ts'

type Pair = readonly [id: unknown, parent: unknown]

const text = (value: unknown): string => {
  if (value === 'throws') throw new Error('no text')
  return String(value)
}

const plan = (references: boolean) =>
  ({
    objectOf: (row: object) => row,
    selfReferences: references ? [{ columns: ['parent'], references: ['id'] }] : [],
    columns: ['id', 'parent'].map(name => ({
      name,
      read: (row: Record<string, unknown>) => row[name],
      known: { codec: { text } },
    })),
  }) as unknown as TablePlan

const shape = { number: 0, columns: [0, 1] }

/** The units of rows with an id and a parent, as their ids. */
function unitsOf(pairs: readonly Pair[], references = true): unknown[][] {
  const rows = pairs.map(([id, parent]) => ({ row: { id, parent }, shape }))
  return parentsFirst(rows, plan(references)).map(unit =>
    unit.map(({ row }) => (row as Record<string, unknown>).id),
  )
}

describe('parentsFirst', () => {
  it('puts each row after the one that it refers to, and keeps the order of the others', () => {
    expect(
      unitsOf([
        ['c', 'b'],
        ['x', null],
        ['b', 'a'],
        ['a', null],
        ['y', 'elsewhere'],
      ]),
    ).to.deep.equal([['a'], ['b'], ['c'], ['x'], ['y']])
  })

  it('puts rows that refer to each other in a circle together, after what the circle leads to', () => {
    expect(
      unitsOf([
        ['d', 'a'],
        ['a', 'b'],
        ['b', 'a'],
        ['s', 's'],
      ]),
    ).to.deep.equal([['a', 'b'], ['d'], ['s']])
  })

  it('compares by text, and ignores values without text', () => {
    expect(
      unitsOf([
        [2, '1'],
        ['throws', 2],
        [1, undefined],
      ]),
    ).to.deep.equal([[1], [2], ['throws']])
  })

  it('takes a chain of 100,000 rows, in either order', () => {
    const chain = Array.from({ length: 100_000 }, (_, i): Pair => [i, i - 1])
    for (const rows of [chain, chain.toReversed()]) {
      expect(unitsOf(rows).flat()).to.deep.equal(chain.map(([id]) => id))
    }
  })

  it('changes nothing where the table does not refer to itself', () => {
    expect(
      unitsOf(
        [
          ['b', 'a'],
          ['a', null],
        ],
        false,
      ),
    ).to.deep.equal([['b'], ['a']])
  })
})
