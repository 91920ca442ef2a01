import { expect } from 'chai'
import fc from 'fast-check'
import sinon from 'sinon'
import { NEEDS_TEXT } from '../../../../lib/encode/codecs/codec.ts'
import { codecFor } from '../../../../lib/encode/codecs/codec-for.ts'
import { scanFieldOf } from '../../../../lib/encode/csv/csv-binary-rows.ts'
import {
  looped,
  makePutRecord,
  type PutRecord,
  RAGGED,
  type RecordField,
  unrolled,
  WHOLE,
} from '../../../../lib/encode/csv/put-record.ts'
import { ByteBuffer } from '../../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../../lib/encode/wire/slabs.ts'

const MARKS = { delimiter: 0x2c, quote: 0x22 }

/** A field of two kinds: quoted it is a question mark, unquoted a value of the type. */
function field(type: string): RecordField {
  const codec = codecFor({ oid: 0, name: type, sqlName: type, builtIn: true, kind: 'base' })
  return {
    scan: scanFieldOf(codec, ','),
    put(out, chunk, at, end) {
      out.putUtf8('?')
      const close = chunk[at] === MARKS.quote ? chunk.indexOf('"', at + 1) : at - 1
      return close < end ? close + 1 : NEEDS_TEXT
    },
  }
}

const FIELDS = [field('int4'), { ...field('text'), scan: undefined }, field('float8'), field('text')]

function outcome(put: PutRecord, record: string): string {
  const out = new ByteBuffer(new SlabPool(64).lease())
  const chunk = Buffer.from(`7,${record},7`)
  const answer = put(out, chunk, 2, chunk.length - 2)
  return answer === WHOLE ? out.take().toString('hex') : answer === RAGGED ? 'ragged' : `needsText ${answer}`
}

describe('makePutRecord', () => {
  afterEach(() => sinon.restore())

  it('appends the same bytes, and refuses the same values and ragged records, unrolled and as a loop', () => {
    const loop = looped(FIELDS, MARKS)
    const code = unrolled(FIELDS, MARKS)!
    const values = fc.constantFrom('', '1', '-2.5', 'x', '"q"', '"a,b"', 'é')
    const seen = { bytes: 0, needsText: 0, ragged: 0 }
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 6 }), record => {
        const expected = outcome(loop, record.join(','))
        expect(outcome(code, record.join(','))).to.equal(expected)
        seen[expected.startsWith('needsText') ? 'needsText' : expected === 'ragged' ? 'ragged' : 'bytes']++
      }),
      { numRuns: 2000 },
    )
    expect(seen.bytes).to.be.above(10)
    expect(seen.needsText).to.be.above(100)
    expect(seen.ragged).to.be.above(100)
  })

  it('loops where a process must not make code from strings, and over very many fields', () => {
    const many = Array.from({ length: 1600 }, () => field('int4'))
    const record = many.map((_, i) => i).join(',')
    expect(outcome(makePutRecord(many, MARKS), record)).to.equal(outcome(looped(many, MARKS), record))
    sinon.stub(globalThis, 'Function').throws(new EvalError('not here'))
    expect(unrolled(FIELDS, MARKS)).to.equal(undefined)
    expect(outcome(makePutRecord(FIELDS, MARKS), '1,"x",2,y')).to.match(/^[0-9a-f]+$/)
  })
})
