import { expect } from 'chai'
import fc from 'fast-check'
import sinon from 'sinon'
import { codecFor } from '../../../../lib/encode/codecs/codec-for.ts'
import {
  type BinaryField,
  looped,
  makePutFields,
  unrolled,
} from '../../../../lib/encode/objects/put-fields.ts'
import { ValueError } from '../../../../lib/encode/value-error.ts'
import { ByteBuffer } from '../../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../../lib/encode/wire/slabs.ts'

function field(name: string, type: string): BinaryField {
  const { binary, text } = codecFor({ oid: 0, name: type, sqlName: type, builtIn: true, kind: 'base' })
  return { name, put: binary!, text }
}

const FIELDS = [
  field('a', 'int4'),
  field('b"\'`\n\\', 'text'),
  field('constructor', 'text'),
  field('d', 'jsonb'),
]

/** The bytes, or the refusal or error in their place. */
function outcome(put: (out: ByteBuffer, row: object) => number, row: object): string {
  const out = new ByteBuffer(new SlabPool(64).lease())
  try {
    const needsText = put(out, row)
    return needsText < 0 ? out.take().toString('hex') : `needsText ${needsText}`
  } catch (error) {
    expect(error).to.be.instanceOf(ValueError)
    return (error as Error).message
  }
}

const boom = {
  toPostgres() {
    throw new Error('boom')
  },
}
const value = fc.constantFrom<unknown>(
  null,
  undefined,
  1,
  -5,
  1.5,
  'é',
  '7',
  { x: [1] },
  [1],
  Buffer.from('bytes'),
  { toPostgres: () => null },
  { toPostgres: () => Buffer.of(1) },
  boom,
)

describe('makePutFields', () => {
  afterEach(() => sinon.restore())

  it('appends the same bytes, and refuses and throws the same, unrolled and as a loop', () => {
    const loop = looped(FIELDS)
    const code = unrolled(FIELDS)!
    const seen = { bytes: 0, refused: 0, errors: 0 }
    const names = FIELDS.map(({ name }) => name)
    fc.assert(
      fc.property(fc.array(value, { minLength: names.length, maxLength: names.length }), values => {
        const row = Object.fromEntries(names.map((name, i) => [name, values[i]]))
        const expected = outcome(loop, row)
        expect(outcome(code, row)).to.equal(expected)
        if (expected.startsWith('needsText')) seen.refused++
        else if (expected.startsWith('Column')) seen.errors++
        else seen.bytes++
      }),
      { numRuns: 1000 },
    )
    for (const [what, count] of Object.entries(seen)) expect(count, what).to.be.greaterThan(50)
  })

  it('takes no value from properties that every object inherits', () => {
    expect(outcome(unrolled(FIELDS)!, { a: 1 })).to.equal(`0000000400000001${'ffffffff'.repeat(3)}`)
  })

  it('loops where a process must not make code from strings, and over very many columns', () => {
    const many = Array.from({ length: 1600 }, (_, i) => field(`c${i}`, 'int4'))
    const row = { c0: 1, c1599: 2 }
    expect(outcome(makePutFields(many), row)).to.equal(outcome(looped(many), row))
    sinon.stub(globalThis, 'Function').throws(new EvalError('not allowed'))
    expect(unrolled(FIELDS)).to.equal(undefined)
    expect(outcome(makePutFields(FIELDS), { a: 1 })).to.equal(outcome(looped(FIELDS), { a: 1 }))
  })
})
