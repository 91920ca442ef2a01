import { expect } from 'chai'
import fc from 'fast-check'
import { allStartAs, missingInAll } from '../../../../lib/write/prepare/like-first.ts'
import { RowSet } from '../../../../lib/write/rows/row-set.ts'

const boom = () => {
  throw new Error('boom')
}

const COLUMNS = ['a', 'b', 'c', 'd'].map(name => ({
  name,
  read: (row: object) => (row as Record<string, unknown>)[name],
}))

const missing = (rows: object[], defaulted: readonly number[] = [0, 1, 2, 3]) =>
  missingInAll(new RowSet(rows), { columns: COLUMNS, defaulted })

class WithGetter {
  readonly a = 1
  get b() {
    return 2
  }
}

describe('rows that are like the first', () => {
  it('start with the same keys in the same order', () => {
    const check = (...rows: object[]) => allStartAs(new RowSet(rows), ['a', 'b'])
    expect(check({ a: 1, b: 2 }, { a: null, b: undefined }, { a: 1 })).to.equal(true)
    expect(check({ a: 1, b: 2 }, { b: 2, a: 1 })).to.equal(false)
    expect(check({ a: 1, b: 2 }, { a: 1, b: 2, c: 3 })).to.equal(false)
    expect(check({ a: 1, b: 2 }, {})).to.equal(false)
    expect(check({ a: 1, b: 2 }, new Proxy({}, { ownKeys: boom }))).to.equal(false)
  })

  it('lack the same columns', () => {
    expect(
      missing([
        { a: 1, c: null },
        { a: 2, c: 3 },
      ]),
    ).to.equal('1,3,')
    expect(missing([{ a: 1, b: 1, c: 1, d: 1 }])).to.equal('')
    expect(missing([{ a: 1 }, { a: 2 }], [1, 3])).to.equal('1,3,')
    expect(missing([{ a: 1 }, { a: undefined }])).to.equal(undefined)
    expect(missing([{ a: 1 }, { a: 1, b: 1 }])).to.equal(undefined)
    expect(missing([{ a: 1 }, Object.create({ b: 1 }, { a: { value: 1, enumerable: true } })])).to.equal(
      undefined,
    )
  })

  it('have no values that come from getters of a class', () => {
    expect(missing([new WithGetter(), { a: 1 }])).to.equal(undefined)
    expect(missing([{ a: 1 }, new WithGetter()])).to.equal(undefined)
    expect(
      missing([
        { a: 1 },
        {
          get a() {
            return boom()
          },
        },
      ]),
    ).to.equal(undefined)
    expect(
      missing([
        {
          get a() {
            return boom()
          },
        },
      ]),
    ).to.equal(undefined)
  })

  it('lack what each of them lacks by itself', () => {
    const row = fc.record(
      { a: fc.constantFrom(1, null, undefined), b: fc.constant(2), c: fc.constantFrom(3, undefined) },
      { requiredKeys: ['b'] },
    )
    const alike = fc.tuple(row, fc.integer({ min: 1, max: 3 })).map(([one, count]) => Array(count).fill(one))
    let found = 0
    fc.assert(
      fc.property(fc.oneof(alike, fc.array(row, { minLength: 1, maxLength: 4 })), rows => {
        const all = missing(rows)
        if (all === undefined) return
        found++
        for (const row of rows) {
          const own = COLUMNS.flatMap(({ read }, index) => (read(row) === undefined ? [`${index},`] : []))
          expect(all).to.equal(own.join(''))
        }
      }),
      { numRuns: 500 },
    )
    expect(found).to.be.greaterThan(100)
  })
})
