import { expect } from 'chai'
import { resolveBatchOptions } from '../../../lib/batch/batch-options.ts'
import { BatchTransform } from '../../../lib/batch/batch-transform.ts'

const signal = new AbortController().signal
const noop = () => {}

describe('the options of BatchTransform', () => {
  const sizeOf = () => 1

  it('have their defaults in one place', () => {
    const defaults = {
      maxCount: 1000,
      maxBytes: Infinity,
      sizeOf: undefined,
      maxWaitMs: 100,
      onDiscard: undefined,
      signal: undefined,
    }
    expect(resolveBatchOptions(undefined)).to.deep.equal(defaults)
    expect(resolveBatchOptions({})).to.deep.equal(defaults)
    expect(
      resolveBatchOptions({ maxCount: undefined, maxWaitMs: undefined, signal: undefined }),
    ).to.deep.equal(defaults)
  })

  it('are taken as given', () => {
    const options = { maxCount: 5, maxBytes: 10, sizeOf, maxWaitMs: 20, onDiscard: noop, signal }
    expect(resolveBatchOptions(options)).to.deep.equal(options)
  })

  for (const [options, message] of [
    [{ maxCount: 0 }, 'Expected `maxCount` to be an integer ≥ 1, got `0` (number)'],
    [
      { maxCount: Infinity, maxBytes: Infinity, sizeOf },
      'Expected `maxCount` to be an integer ≥ 1, got `Infinity` (number)',
    ],
    [
      { maxCount: 0.5, maxBytes: 10, sizeOf },
      'Expected `maxCount` to be an integer ≥ 1, or Infinity, got `0.5` (number)',
    ],
    [{ maxCount: '5' }, "Expected `maxCount` to be an integer ≥ 1, got `'5'` (string)"],
    [{ maxCount: Infinity }, 'Expected `maxCount` to be an integer ≥ 1, got `Infinity` (number)'],
    [{ maxBytes: 10 }, 'Expected `sizeOf` to be a function, which `maxBytes` needs, got undefined'],
    [{ maxBytes: 0, sizeOf }, 'Expected `maxBytes` to be an integer ≥ 1, or Infinity, got `0` (number)'],
    [{ sizeOf: 5 }, 'Expected `sizeOf` to be a function, got `5` (number)'],
    [
      { maxWaitMs: 0 },
      'Expected `maxWaitMs` to be a number > 0 and ≤ 2147483647, or Infinity, got `0` (number)',
    ],
    [
      { maxWaitMs: 2 ** 31 },
      'Expected `maxWaitMs` to be a number > 0 and ≤ 2147483647, or Infinity, got `2147483648` (number)',
    ],
    [{ maxWaitMs: null }, 'got null'],
    [{ onDiscard: true }, 'Expected `onDiscard` to be a function, got `true` (boolean)'],
    [{ signal: {} }, 'Expected `signal` to be an AbortSignal, got `{}` (object)'],
    [{ maxWait: 5 }, 'Did you mean `maxWaitMs`?'],
    [{ highWaterMark: 5 }, 'got `highWaterMark`.'],
    [1000, 'Expected `options` to be an object, got `1000` (number): write `{ maxCount: 1000 }`'],
    [{ batchSize: 5 }, 'got `batchSize`. Did you mean `maxCount`?'],
    [null, 'Expected `options` to be an object, got null'],
  ] as const) {
    it(`throw at construction: ${message}`, () => {
      expect(() => new BatchTransform(options as object))
        .to.throw(TypeError, message)
        .with.property('code', 'ERR_INVALID_ARG_VALUE')
    })
  }
})
