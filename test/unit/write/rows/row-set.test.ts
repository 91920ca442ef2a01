import { expect } from 'chai'
import fc from 'fast-check'
import { RowSet } from '../../../../lib/write/rows/row-set.ts'

interface Row {
  readonly n: number
}

/** Rows of some items, with gaps between them. */
const entries = fc
  .array(fc.integer({ min: 1, max: 3 }), { maxLength: 40 })
  .map(steps => steps.map((_, i) => steps.slice(0, i + 1).reduce((sum, step) => sum + step, -1)))
  .map(items => items.map(item => [{ n: item % 5 }, item] as [Row, number]))

/** Every row comes from the item at its own index. */
const wholeBatch = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 40 })
  .map(ns => ns.map((n, item) => [{ n }, item] as [Row, number]))

const setOf = (rows: readonly [Row, number][]): RowSet => {
  const set = new RowSet()
  for (const [row, item] of rows) set.add(row, item)
  return set
}

const n = (row: object): number => (row as Row).n

describe('RowSet', () => {
  for (const [title, rows] of [
    ['rows that lack some items', entries],
    ['rows of all items', wholeBatch],
  ] as const) {
    describe(`of ${title}`, () => {
      it('returns each row with the item it was added for', () => {
        fc.assert(
          fc.property(rows, expected => {
            const set = setOf(expected)
            expect([...set]).to.deep.equal(expected)
            expect(set.length).to.equal(expected.length)
            for (const [index, [row, item]] of expected.entries()) {
              expect(set.at(index)).to.equal(row)
              expect(set.itemAt(index)).to.equal(item)
              expect(set.hasItem(item)).to.equal(true)
            }
            expect(set.hasItem(1000)).to.equal(false)
          }),
        )
      })

      it('filters as an array of rows and items would', () => {
        fc.assert(
          fc.property(rows, fc.integer({ min: 0, max: 5 }), (all, limit) => {
            const keep = (row: object, item: number) => n(row) < limit && item % 7 !== limit
            const kept = setOf(all).filter(keep)
            expect([...kept]).to.deep.equal(all.filter(([row, item]) => keep(row, item)))
          }),
        )
      })

      it('groups by key in the order of the rows, and leaves out those whose key is undefined', () => {
        fc.assert(
          fc.property(rows, all => {
            const keyOf = (row: object) => (n(row) === 0 ? undefined : n(row) % 3)
            const groups = setOf(all).groupBy(keyOf)
            const keys = new Set(all.map(([row]) => keyOf(row)).filter(key => key !== undefined))
            expect([...groups.keys()]).to.deep.equal([...keys])
            for (const [key, group] of groups) {
              expect([...group]).to.deep.equal(all.filter(([row]) => keyOf(row) === key))
            }
          }),
        )
      })

      it('still knows the items once its rows are dropped', () => {
        fc.assert(
          fc.property(rows, all => {
            const items = setOf(all).withoutRows()
            expect(items.length).to.equal(0)
            expect(all.map((_, index) => items.itemAt(index))).to.deep.equal(all.map(([, item]) => item))
          }),
        )
      })
    })
  }

  it('returns itself when a filter keeps every row, so that a valid batch is not copied', () => {
    const set = new RowSet([{ n: 1 }, { n: 2 }])
    expect(set.filter(() => true)).to.equal(set)
    expect(set.filter((_, item) => item === 1)).to.not.equal(set)
  })

  it('does not change the set that it filters or maps', () => {
    const set = new RowSet([{ n: 1 }, { n: 2 }])
    const second = set.filter((_, item) => item === 1)
    second.add({ n: 3 }, 5)
    set.map(row => ({ n: n(row) + 1 })).add({ n: 4 }, 2)
    expect([...set]).to.deep.equal([
      [{ n: 1 }, 0],
      [{ n: 2 }, 1],
    ])
    expect([...second]).to.deep.equal([
      [{ n: 2 }, 1],
      [{ n: 3 }, 5],
    ])
  })
})
