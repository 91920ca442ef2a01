import { expect } from 'chai'
import fc from 'fast-check'
import { NOT_PLAIN, putJson } from '../../../../../lib/encode/codecs/text/put-json.ts'
import { thorough } from '../../../../support/thorough.ts'

/** The text that it writes; undefined for a value that it leaves to the engine. */
function written(value: object): string | undefined {
  const bytes = Buffer.from(`before${' '.repeat(100_000)}`)
  const end = putJson(bytes, 'before'.length, value)
  expect(bytes.toString('utf8', 0, 6)).to.equal('before')
  return end === NOT_PLAIN ? undefined : bytes.toString('utf8', 6, end)
}

class Account {
  readonly id = 1
}

describe('putJson', () => {
  it('writes any tree of plain values as the engine does', () => {
    const number = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(-0, 9, 10, 99, 100, 999_999_999, 1_000_000_000, 1e21, 0.1),
    )
    const text = fc.string({
      unit: fc.constantFrom('a', '"', '\\', '\n', '\0', '\x7f', 'é', '中', '😀', '\ud800'),
    })
    const date = fc.date({ noInvalidDate: false })
    const leaf = fc.oneof(number, text, fc.boolean(), fc.constantFrom(null, undefined), date)
    const { tree } = fc.letrec<{ tree: object; item: unknown }>(tie => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.array(tie('item'), { maxLength: 5 }),
        fc.dictionary(text, tie('item'), { maxKeys: 5 }),
      ),
      item: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('tree')),
    }))
    fc.assert(
      fc.property(tree, value => {
        expect(written(value)).to.equal(JSON.stringify(value))
      }),
      { numRuns: thorough(5_000) },
    )
  })

  it('writes long strings, holes, number keys, hidden and inherited keys as the engine does', () => {
    const hidden = Object.defineProperty({ a: 1 }, 'b', { value: 2, enumerable: false })
    const values: object[] = [
      { text: `${'x'.repeat(39)}"`, longer: 'y'.repeat(41), long: '中"'.repeat(5_000) },
      Array(3),
      Object.assign([1], { 2: 3 }),
      { 10: 'ten', 9: 'nine', b: 1, a: 2 },
      { [Symbol('s')]: 1, ['__proto__']: 2 },
      Object.assign([1], { extra: true }),
      hidden,
      JSON.parse('{"__proto__": {"a": 1}, "constructor": null}'),
      { undefined: undefined },
      { first: undefined, second: 2, third: undefined },
    ]
    for (const value of values) expect(written(value)).to.equal(JSON.stringify(value))
  })

  it('leaves values to the engine that convert themselves, or that depend on their key', () => {
    const circle: object[] = []
    circle.push(circle)
    const odd = new Date(0)
    odd.toJSON = () => 'a day'
    const left: object[] = [
      { toJSON: () => 'x' },
      { inner: { toJSON: (key: string) => key } },
      [new Account()],
      { map: new Map() },
      { wrapped: Object(1) },
      { method() {} },
      [Symbol('s')],
      { big: 1n },
      [odd],
      circle,
      new Date(0),
      Buffer.from('x'),
    ]
    for (const value of left) expect(written(value)).to.equal(undefined)
  })

  it('leaves raw JSON, which has no prototype either, to the engine', () => {
    const { rawJSON } = JSON as { rawJSON?: (text: string) => object }
    // Node 20 does not have it
    expect(rawJSON && written({ n: rawJSON('1.00') })).to.equal(undefined)
  })

  it('returns an index past the end where the bytes have no room', () => {
    const values = [{ a: 1 }, ['x'.repeat(30)], { long: 'é'.repeat(50) }, [[], [{}], 1.5e300], [true, null]]
    for (const value of values) {
      const length = Buffer.byteLength(JSON.stringify(value))
      for (let room = 0; room < length; room++) {
        const end = putJson(Buffer.alloc(room), 0, value)
        expect(end, `${room}`).to.be.greaterThan(room)
      }
      expect(putJson(Buffer.alloc(length), 0, value)).to.equal(length)
    }
  })

  it('leaves all to the engine where others have put a property on all objects', () => {
    Object.defineProperty(Object.prototype, 'everywhere', { value: 1, enumerable: true, configurable: true })
    try {
      expect(written({ a: 1 })).to.equal(undefined)
    } finally {
      Reflect.deleteProperty(Object.prototype, 'everywhere')
    }
  })
})
