import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { fromDebezium } from '../../../lib/change-events/debezium.ts'
import { PgBatchError } from '../../../lib/errors.ts'
import { cpuMs } from '../../support/processes/cpu-time.ts'

/** The forms that Debezium's UnchangedToastedPlaceholder makes, as the JSON converter writes them. */
function formsOf(placeholder: string, uuid: string): [type: string, value: unknown][] {
  const bytes = Buffer.from(placeholder)
  const url = bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_')
  const forms: [string, unknown][] = [
    ['text', placeholder],
    ['bytea, binary.handling.mode=bytes', bytes.toString('base64')],
    ['bytea, base64-url-safe', url],
    ['bytea, base64-url-safe without padding', bytes.toString('base64url')],
    ['bytea, hex', bytes.toString('hex')],
    ['bytea, hex in capitals', bytes.toString('hex').toUpperCase()],
    ['int[], bigint[] and date[]', [...bytes].map(byte => (byte > 127 ? byte - 256 : byte))],
    ['uuid[]', [uuid]],
    ['hstore as a map', { [placeholder]: placeholder }],
    ['hstore as JSON', JSON.stringify({ [placeholder]: placeholder })],
    ['hstore[]', [{ [placeholder]: placeholder }]],
  ]
  const arrays = forms.slice(0, 6).map(([type, value]): [string, unknown] => [`array of ${type}`, [value]])
  return [...forms, ...arrays]
}

const PLACEHOLDERS: readonly [placeholder: string, uuid: string][] = [
  ['__debezium_unavailable_value', 'b68a35a7-17ad-35b3-af2a-ae46edb4545a'],
  ['nicht verfügbar?>~', ''],
  ['x', ''],
]

describe('a placeholder for an unchanged value', () => {
  for (const [placeholder, known] of PLACEHOLDERS) {
    const options = placeholder.startsWith('__') ? undefined : { unavailableValuePlaceholder: placeholder }
    for (const [type, value] of formsOf(placeholder, known || nameUuid(placeholder))) {
      it(`is refused: ${placeholder} as ${type}`, () => {
        const event = { op: 'u', before: null, after: { id: 1, v: value } }
        for (const given of [event, JSON.stringify(event)]) {
          expect(() => fromDebezium(given, undefined, options))
            .to.throw(PgBatchError, /is unchanged.*REPLICA IDENTITY FULL/)
            .with.property('column', 'v')
        }
      })
    }
  }

  it('is refused for geometries, geographies and points, which have one of their own', () => {
    const wkb = (hex: string) => ({ wkb: Buffer.from(hex, 'hex').toString('base64'), srid: 4326 })
    for (const v of [
      wkb('0101000020E6100000000000FC83D797C1000000FC83D797C1'),
      wkb('0101000020E61000000C21E7FDFF7F66401842CEFBFF7F5640'),
      { x: -99999999, y: -99999999 },
    ]) {
      expect(() => fromDebezium({ op: 'u', after: { v } })).to.throw(PgBatchError, /is unchanged/)
    }
  })

  it('may be given as hexadecimal digits, as the connector takes it', () => {
    const options = { unavailableValuePlaceholder: 'hex:646f6c6c7900' }
    for (const v of ['dolly\0', Buffer.from('dolly\0').toString('base64'), '646f6c6c7900']) {
      expect(() => fromDebezium({ op: 'u', after: { v } }, undefined, options)).to.throw(PgBatchError)
    }
  })

  it('is no other value: one that only resembles it, or the default where another is set', () => {
    const other = { unavailableValuePlaceholder: 'other' }
    const bytes = [...Buffer.from('__debezium_unavailable_value')]
    for (const v of [
      bytes.slice(1),
      [...bytes, 1],
      [bytes.length],
      { a: 1 },
      {},
      [],
      [[1]],
      '',
      '{"a":1}',
      '{',
    ]) {
      expect(fromDebezium({ op: 'u', after: { v } })?.row).to.deep.equal({ v })
    }
    const v = '__debezium_unavailable_value'
    expect(fromDebezium({ op: 'u', after: { v } }, undefined, other)?.row).to.deep.equal({ v })
  })

  it('is looked for in time that grows with the value', () => {
    for (const v of [`{${'"'.repeat(1_000_000)}`, 'a'.repeat(1_000_000), Array(1_000_000).fill(95)]) {
      expect(cpuMs(() => expect(fromDebezium({ op: 'u', after: { v } })).to.not.equal(null))).to.be.below(
        1000,
      )
    }
  })

  it('and the other options are checked', () => {
    const event = { op: 'c', after: { id: 1 } }
    const wrong = [
      { placeholder: 'x' },
      { unavailableValuePlaceholder: '' },
      { binaryHandlingMode: 'base32' },
    ]
    for (const options of wrong)
      expect(() => fromDebezium(event, undefined, options as object)).to.throw(TypeError)
    expect(() => fromDebezium(event, undefined, { binaryHandlingmode: 'hex' } as object)).to.throw(
      TypeError,
      'Expected the options of fromDebezium to be among unavailableValuePlaceholder, binaryHandlingMode, ' +
        'got `binaryHandlingmode`. Did you mean `binaryHandlingMode`?',
    )
  })
})

/** `UUID.nameUUIDFromBytes`, by another way than lib's. */
function nameUuid(text: string): string {
  const hex = createHash('md5').update(text).digest('hex')
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3]!
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `3${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20),
  ].join('-')
}
