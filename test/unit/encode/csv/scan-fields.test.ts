import { expect } from 'chai'
import fc from 'fast-check'
import { boolean } from '../../../../lib/encode/codecs/boolean.ts'
import type { Codec } from '../../../../lib/encode/codecs/codec.ts'
import { date } from '../../../../lib/encode/codecs/date.ts'
import { float4, float8 } from '../../../../lib/encode/codecs/float.ts'
import { int2, int4, int8 } from '../../../../lib/encode/codecs/integer.ts'
import { numeric } from '../../../../lib/encode/codecs/numeric.ts'
import { json, jsonb, name, text } from '../../../../lib/encode/codecs/text.ts'
import { timestamp, timestamptz } from '../../../../lib/encode/codecs/timestamp.ts'
import { uuid } from '../../../../lib/encode/codecs/uuid.ts'
import { MISFIT, NO_DELIMITER, type ScanField } from '../../../../lib/encode/csv/scan-field.ts'
import { scanFieldOf } from '../../../../lib/encode/csv/scan-fields.ts'
import { ByteBuffer } from '../../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../../lib/encode/wire/slabs.ts'

const digits = (min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max })

/** Up to one character of a good text is another one, or one too many. */
function nearly(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const spoil = fc.tuple(
    texts,
    fc.nat(),
    fc.constantFrom('', '0', '-', '.', ' ', 'e', 'é', ':', '9'),
    fc.boolean(),
  )
  const spoiled = spoil.map(([good, at, character, over]) => {
    const place = at % (good.length + 1)
    return good.slice(0, place) + character + good.slice(over ? place + 1 : place)
  })
  return fc.oneof({ weight: 2, arbitrary: texts }, spoiled)
}

const decimals = fc
  .tuple(fc.constantFrom('', '-'), digits(1, 20), fc.option(digits(1, 22), { nil: undefined }))
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}`)
const doubles = fc.double({ noNaN: true }).map(String)
const instants = fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') })
const timestamps = fc
  .tuple(
    instants,
    fc.constantFrom('T', ' '),
    fc.nat(7),
    fc.constantFrom('', 'Z', '+02', '-15:59', '+05:30:10', '+16'),
  )
  .map(([instant, between, places, offset]) => {
    const [day, time] = instant.toISOString().split('T') as [string, string]
    return `${day}${between}${time.slice(0, 8)}${places === 0 ? '' : `.${'123456789'.slice(0, places)}`}${offset}`
  })

const CODECS: readonly [title: string, codec: Codec, texts: fc.Arbitrary<string>][] = [
  ['int2', int2, nearly(fc.oneof(fc.integer({ min: -40_000, max: 40_000 }).map(String), digits(1, 20)))],
  ['int4', int4, nearly(fc.oneof(fc.integer().map(String), digits(1, 20)))],
  [
    'int8',
    int8,
    nearly(fc.oneof(fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String), digits(1, 20))),
  ],
  ['numeric', numeric, nearly(fc.oneof(decimals, doubles))],
  [
    'float8',
    float8,
    nearly(fc.oneof(decimals, doubles, fc.constantFrom('9007199254740993', '-0', '0.0', 'NaN'))),
  ],
  ['float4', float4, nearly(fc.oneof(decimals, doubles))],
  ['boolean', boolean, fc.oneof(nearly(fc.constantFrom('true', 'false', 't', 'f', '1', '0')), fc.string())],
  ['timestamptz', timestamptz, nearly(timestamps)],
  ['timestamp', timestamp, nearly(timestamps)],
  ['date', date, nearly(timestamps.map(text => text.slice(0, 10)))],
  ['text', text, fc.string({ unit: 'grapheme', maxLength: 200 })],
  ['json', json, fc.json()],
  ['jsonb', jsonb, fc.json()],
  ['name', name, fc.string({ unit: 'grapheme', maxLength: 80 })],
  ['uuid', uuid, nearly(fc.uuid())],
]

/** What was appended, or the answer that there is no exact form. */
function bytesOf(put: (out: ByteBuffer) => boolean): string | false {
  const out = new ByteBuffer(new SlabPool(16).lease())
  return put(out) && out.take().toString('hex')
}

const DELIMITERS = [',', '\t', '-', ' ', '1']

describe('scanFieldOf', () => {
  for (const [title, codec, texts] of CODECS) {
    /** What is appended for a value that stands among others, by the scanner and by the codec. */
    const compare = (scan: ScanField, value: string, before: string, behind: string, delimiter: number) => {
      const expected = bytesOf(out => codec.binary!(out, value))
      const bytes = Buffer.from(before + value + behind)
      const start = Buffer.byteLength(before)
      const stop = start + Buffer.byteLength(value)
      const end = delimiter === NO_DELIMITER ? stop : bytes.length
      const actual = bytesOf(out => {
        const at = scan(out, bytes, start, end, delimiter)
        if (at !== MISFIT) expect(at).to.equal(stop)
        return at !== MISFIT
      })
      expect(actual).to.equal(expected)
      return expected !== false
    }

    it(`appends for the bytes of a ${title} what the codec does for the string`, () => {
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

    it(`ends a ${title} at the delimiter, whatever that is, or at the end`, () => {
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
