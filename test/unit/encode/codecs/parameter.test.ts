import { createRequire } from 'node:module'
import { expect } from 'chai'
import fc from 'fast-check'
import { prepareInstant, prepareJson, prepareValue } from '../../../../lib/encode/codecs/parameter.ts'
import { PromiseError } from '../../../../lib/encode/codecs/promise-error.ts'
import {
  arraysOf,
  awkwardText,
  bytes,
  dates,
  doubles,
  integers,
  intervals,
  jsons,
  oddValues,
} from '../../../support/values/index.ts'

const pgUtils = createRequire(import.meta.url)('pg/lib/utils.js') as {
  prepareValue: (value: unknown) => unknown
}

const attempt = (prepare: (value: unknown) => unknown, value: unknown): unknown => {
  try {
    const result = prepare(value)
    return result instanceof Uint8Array ? Buffer.from(result).toString('hex') : (result ?? null)
  } catch {
    return 'threw'
  }
}

describe('prepareValue', () => {
  it('returns what the prepareValue of pg returns, and throws when that throws', () => {
    const anything = fc.oneof(integers, doubles, awkwardText, dates, intervals, bytes, jsons, oddValues)
    let count = 0
    fc.assert(
      fc.property(fc.oneof(anything, arraysOf(anything), arraysOf(oddValues)), value => {
        expect(attempt(prepareValue, value)).to.equal(attempt(pgUtils.prepareValue, value))
        count++
      }),
      { seed: 20261123, numRuns: 3000 },
    )
    expect(count).to.equal(3000)
  })

  it('takes the bytes of a view, not the whole buffer', () => {
    const view = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
    expect(prepareValue(view)).to.deep.equal(Buffer.from([2, 3]))
  })
})

describe('a Promise, for which pg sends {}', () => {
  for (const [where, value] of [
    ['alone', Promise.resolve(1)],
    ['in an array', [1, [Promise.resolve(1)]]],
    ['that toPostgres returns', { toPostgres: () => Promise.resolve(1) }],
    ['of a class of its own', new (class Later extends Promise<number> {})(done => done(1))],
  ] as const) {
    it(`is refused ${where}`, () => {
      for (const prepare of [prepareValue, prepareInstant])
        expect(() => prepare(value)).to.throw(PromiseError)
    })
  }

  it('is sent as what its toPostgres returns', () => {
    expect(prepareValue(Object.assign(Promise.resolve(1), { toPostgres: () => 'x' }))).to.equal('x')
  })
})

describe('prepareInstant', () => {
  for (const [iso, text] of [
    ['2024-03-10T07:30:00.123Z', '2024-03-10T07:30:00.123Z'],
    ['0001-01-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z'],
    ['0000-12-31T23:59:59.999Z', '0001-12-31T23:59:59.999+00:00 BC'],
    ['-000043-03-15T00:00:00.000Z', '0044-03-15T00:00:00.000+00:00 BC'],
    ['+010000-01-01T00:00:00.000Z', '10000-01-01T00:00:00.000+00:00'],
  ] as const) {
    it(`writes ${iso} in UTC`, () => expect(prepareInstant(new Date(iso))).to.equal(text))
  }

  it('reaches dates in arrays and in the result of toPostgres', () => {
    const date = new Date(0)
    expect(prepareInstant([date, [date]])).to.equal(
      '{"1970-01-01T00:00:00.000Z",{"1970-01-01T00:00:00.000Z"}}',
    )
    expect(prepareInstant({ toPostgres: () => date })).to.equal('1970-01-01T00:00:00.000Z')
  })
})

describe('prepareJson', () => {
  it('writes an array as JSON, dates in it included', () => {
    expect(prepareJson([])).to.equal('[]')
    expect(prepareJson([1, ['a'], null, new Date(0)])).to.equal('[1,["a"],null,"1970-01-01T00:00:00.000Z"]')
  })
  it('is the same as prepareValue for all else', () => {
    expect(prepareJson('[1]')).to.equal('[1]')
    expect(prepareJson({ a: [1] })).to.equal('{"a":[1]}')
  })
})
