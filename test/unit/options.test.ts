import { expect } from 'chai'
import { BatchTransform } from '../../lib/batch/batch-transform.ts'
import {
  checkAbortSignal,
  checkFunction,
  checkInteger,
  checkIntegerOrInfinity,
  checkKnownKeys,
  checkObject,
  checkOneOf,
  checkString,
  checkWaitMs,
  describe as described,
  resolveBatchOptions,
  withDefaults,
} from '../../lib/options.ts'

const signal = new AbortController().signal
const noop = () => {}

describe('option checks', () => {
  const checks: [string, (value: unknown) => unknown, string, unknown[], unknown[]][] = [
    [
      'checkInteger',
      value => checkInteger('x', value, 1),
      'an integer ≥ 1',
      [1, 2 ** 53 - 1],
      [0, -1, 1.5, NaN, Infinity, '1', 1n, null, undefined, [1]],
    ],
    [
      'checkIntegerOrInfinity',
      value => checkIntegerOrInfinity('x', value, 0),
      'an integer ≥ 0, or Infinity',
      [0, 7, Infinity],
      [-1, 0.5, NaN, -Infinity, '1', null],
    ],
    [
      'checkWaitMs',
      value => checkWaitMs('x', value),
      'a number > 0 and ≤ 2147483647, or Infinity',
      [0.5, 1, 2147483647, Infinity],
      [0, -1, 2147483648, NaN, -Infinity, '5', null],
    ],
    ['checkString', value => checkString('x', value), 'a string that is not empty', ['a'], ['', 1, null]],
    [
      'checkOneOf',
      value => checkOneOf('x', value, ['copy', 'insert']),
      "one of 'copy', 'insert'",
      ['copy', 'insert'],
      ['COPY', '', 0, ['copy'], null],
    ],
    ['checkFunction', value => checkFunction('x', value), 'a function', [noop], [{}, 'noop', null]],
    ['checkObject', value => checkObject('x', value), 'an object', [{}], [[], null, 'x', noop]],
    [
      'checkAbortSignal',
      value => checkAbortSignal('x', value),
      'an AbortSignal',
      [signal],
      [{}, new AbortController(), true, null],
    ],
  ]
  for (const [name, check, expected, good, bad] of checks) {
    it(`${name} returns ${expected}, and says what came instead`, () => {
      for (const value of good) expect(check(value)).to.equal(value)
      for (const value of bad) {
        expect(() => check(value), String(value))
          .to.throw(TypeError, `Expected \`x\` to be ${expected}, got ${described(value)}`)
          .with.property('code', 'ERR_INVALID_ARG_VALUE')
      }
    })
  }

  for (const [value, text] of [
    [0, '`0` (number)'],
    [-0, '`-0` (number)'],
    ['5', "`'5'` (string)"],
    [5n, '`5n` (bigint)'],
    [null, '`null` (null)'],
    [undefined, '`undefined` (undefined)'],
    [[1, 2], '`[Array]` (array)'],
    [{ password: 'secret' }, '`[Object]` (object)'],
    [noop, '`[Function: noop]` (function)'],
    ['x'.repeat(50), `\`'${'x'.repeat(40)}'... 10 more characters\` (string)`],
  ] as const) {
    it(`shows a value as ${text}`, () => {
      expect(described(value)).to.equal(text)
    })
  }

  it('refuses an unknown key, and names the nearest known one', () => {
    const known = ['maxAccount', 'maxCount', 'maxWaitMs', 'sizeOf']
    for (const [key, near] of [
      ['maxcount', 'maxCount'],
      ['maxCuont', 'maxCount'],
      ['maxWait', 'maxWaitMs'],
      ['size_of', 'sizeOf'],
    ] as const) {
      expect(() => checkKnownKeys('Thing', { [key]: 1 }, known)).to.throw(
        TypeError,
        `Expected the options of Thing to be among maxAccount, maxCount, maxWaitMs, sizeOf, got \`${key}\`. Did you mean \`${near}\`?`,
      )
    }
  })

  it('offers no hint that is far off', () => {
    expect(() => checkKnownKeys('Thing', { highWaterMark: 1 }, ['maxCount'])).to.throw(
      /got `highWaterMark`\.$/,
    )
  })

  it('takes no inherited word for a known key', () => {
    expect(() => checkKnownKeys('Thing', { toString: 1 }, ['maxCount'])).to.throw('got `toString`')
  })

  it('takes undefined as not given, and null as given', () => {
    expect(withDefaults({ a: 1, b: 2, c: 3 }, { a: undefined, b: null, c: 0 })).to.deep.equal({
      a: 1,
      b: null,
      c: 0,
    })
  })
})

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
    [{ maxCount: '5' }, "Expected `maxCount` to be an integer ≥ 1, got `'5'` (string)"],
    [{ maxCount: Infinity }, 'Expected `maxCount` to be an integer ≥ 1, got `Infinity` (number)'],
    [
      { maxBytes: 10 },
      'Expected `sizeOf` to be a function, for `maxBytes` needs it, got `undefined` (undefined)',
    ],
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
    [{ maxWaitMs: null }, 'got `null` (null)'],
    [{ onDiscard: true }, 'Expected `onDiscard` to be a function, got `true` (boolean)'],
    [{ signal: {} }, 'Expected `signal` to be an AbortSignal, got `{}` (object)'],
    [{ maxWait: 5 }, 'Did you mean `maxWaitMs`?'],
    [{ highWaterMark: 5 }, 'got `highWaterMark`.'],
    [1000, 'Expected `options` to be an object, got `1000` (number)'],
    [null, 'Expected `options` to be an object, got `null` (null)'],
  ] as const) {
    it(`throw at construction: ${message}`, () => {
      expect(() => new BatchTransform(options as object))
        .to.throw(TypeError, message)
        .with.property('code', 'ERR_INVALID_ARG_VALUE')
    })
  }
})
