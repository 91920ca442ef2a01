import { expect } from 'chai'
import {
  checkAbortSignal,
  checkFunction,
  checkKnownKeys,
  checkObject,
  checkString,
  checkWaitMs,
  describe as described,
  integerFrom,
  integerOrInfinityFrom,
  oneOf,
} from '../../../lib/options/checks.ts'
import {
  defaultsTo,
  internal,
  optional,
  publicNames,
  required,
  resolveOptions,
  withDefaults,
} from '../../../lib/options/option-table.ts'

const signal = new AbortController().signal
const noop = () => {}

describe('option checks', () => {
  const checks: [string, (value: unknown) => unknown, string, unknown[], unknown[]][] = [
    [
      'integerFrom',
      value => integerFrom(1)('x', value),
      'an integer ≥ 1',
      [1, 2 ** 53 - 1],
      [0, -1, 1.5, NaN, Infinity, '1', 1n, null, undefined, [1]],
    ],
    [
      'integerOrInfinityFrom',
      value => integerOrInfinityFrom(0)('x', value),
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
      'oneOf',
      value => oneOf('copy', 'insert')('x', value),
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
    [null, 'null'],
    [undefined, 'undefined'],
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
        'Expected the options of Thing to be among maxAccount, maxCount, maxWaitMs, sizeOf, ' +
          `got \`${key}\`. Did you mean \`${near}\`?`,
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

describe('a table of options', () => {
  const table = {
    path: required(checkString),
    count: defaultsTo(7, integerFrom(1)),
    label: optional(checkString),
    hidden: internal(optional(checkString)),
  }

  it('gives every option its default where it is left out or undefined', () => {
    const options = { path: 'a', count: undefined }
    expect(resolveOptions('Thing', table, options)).to.deep.equal({
      path: 'a',
      count: 7,
      label: undefined,
      hidden: undefined,
    })
  })

  it('checks what is given, null included, and names the option with its prefix', () => {
    expect(() => resolveOptions('Thing', table, { path: 'a', label: null }, 'thing.')).to.throw(
      TypeError,
      'Expected `thing.label` to be a string that is not empty, got null',
    )
  })

  it('throws for a required option that is left out', () => {
    expect(() => resolveOptions('Thing', table, {})).to.throw(
      TypeError,
      'Expected `path` to be a string that is not empty, got undefined',
    )
  })

  it('takes what a class defines, and not what a polluted Object.prototype has', () => {
    class Options {
      path = 'a'
      get label() {
        return 'b'
      }
    }
    const polluted = Object.prototype as { count?: unknown }
    polluted.count = 'many'
    try {
      expect(resolveOptions('Thing', table, new Options())).to.include({ path: 'a', count: 7, label: 'b' })
    } finally {
      delete polluted.count
    }
  })

  it('takes an internal option and names it in no message', () => {
    expect(publicNames(table)).to.deep.equal(['path', 'count', 'label'])
    expect(resolveOptions('Thing', table, { path: 'a', hidden: 'b' }).hidden).to.equal('b')
    expect(() => resolveOptions('Thing', table, { path: 'a', hiden: 'b' })).to.throw(
      'Expected the options of Thing to be among path, count, label, got `hiden`.',
    )
  })
})
