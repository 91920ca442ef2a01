import { expect } from 'chai'
import fc from 'fast-check'
import { NEEDS_TEXT, NO_DELIMITER, type ScanField } from '../../../../lib/encode/codecs/codec.ts'
import { BUILT_IN } from '../../../../lib/encode/codecs/codec-for.ts'
import { scanFieldOf } from '../../../../lib/encode/csv/csv-binary-rows.ts'
import { ByteBuffer } from '../../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../../lib/encode/wire/slabs.ts'
import { FILE_TEXTS } from '../../../support/values/file-texts.ts'

const CODECS = [...BUILT_IN].filter(([, { binary }]) => binary)

/** The bytes that were appended; false for a value without an exact form. */
function bytesOf(put: (out: ByteBuffer) => boolean): string | false {
  const out = new ByteBuffer(new SlabPool(16).lease())
  return put(out) && out.take().toString('hex')
}

const DELIMITERS = [',', '\t', '-', ' ', '1']

describe('reading CSV', () => {
  it('is compared for every codec that has a binary form', () => {
    expect(CODECS.map(([type]) => type)).to.have.members(Object.keys(FILE_TEXTS))
  })

  for (const [title, codec] of CODECS) {
    const texts = FILE_TEXTS[title]!

    /**
     * Reads a value that has other bytes around it, from its bytes and as a string; returns whether it is
     * accepted.
     */
    const compare = (scan: ScanField, value: string, before: string, behind: string, delimiter: number) => {
      const expected = bytesOf(out => codec.binary!(out, value))
      const bytes = Buffer.from(before + value + behind)
      const start = Buffer.byteLength(before)
      const stop = start + Buffer.byteLength(value)
      const end = delimiter === NO_DELIMITER ? stop : bytes.length
      const actual = bytesOf(out => {
        const at = scan(out, bytes, start, end, delimiter)
        if (at !== NEEDS_TEXT) expect(at).to.equal(stop)
        return at !== NEEDS_TEXT
      })
      expect(actual).to.equal(expected)
      return expected !== false
    }

    it(`accepts, refuses and encodes the bytes of a ${title} as it does the string`, () => {
      const scan = scanFieldOf(codec, ',')
      let exact = 0
      fc.assert(
        fc.property(texts, fc.string({ maxLength: 3 }), (value, before) => {
          if (compare(scan, value, before, '1.5', NO_DELIMITER)) exact++
        }),
        { numRuns: 1000 },
      )
      expect(exact).to.be.above(100)
    })

    it(`ends a ${title} at any delimiter, or at the end`, () => {
      let exact = 0
      fc.assert(
        fc.property(texts, fc.constantFrom(...DELIMITERS), fc.boolean(), (value, delimiter, last) => {
          const whole = value.split(delimiter)[0]!
          const scan = scanFieldOf(codec, delimiter)
          if (compare(scan, whole, '7', last ? '' : `${delimiter}5`, delimiter.charCodeAt(0))) exact++
        }),
        { numRuns: 1000 },
      )
      expect(exact).to.be.above(20)
    })
  }
})
