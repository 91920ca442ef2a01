import { expect } from 'chai'
import fc from 'fast-check'
import { fromDebezium } from '../../../lib/change-events/debezium.ts'
import { PgBatchError } from '../../../lib/errors.ts'

/** A schema as the JSON converter writes it, for one field `v` of a row. */
const schemaOf = (field: object) => ({
  type: 'struct',
  fields: ['before', 'after'].map(name => ({
    type: 'struct',
    optional: true,
    name: 'shop.public.orders.Value',
    field: name,
    fields: [
      { type: 'int32', optional: false, field: 'id' },
      { optional: true, ...field, field: 'v' },
    ],
  })),
})

/** Returns what one value of a logical type becomes, read from text as Kafka delivers it. */
const decoded = (field: object, json: string): unknown => {
  const text = `{"schema":${JSON.stringify(schemaOf(field))},"payload":{"op":"c","before":null,"after":{"id":1,"v":${json}}}}`
  return fromDebezium(text)?.row.v
}

const failure = (value: unknown, key?: unknown): PgBatchError => {
  try {
    fromDebezium(value, key)
  } catch (error) {
    expect(error).to.be.instanceOf(PgBatchError).and.to.include({ code: 'ROW_INVALID', outcome: 'not-sent' })
    return error as PgBatchError
  }
  throw new Error('Expected a failure, but it went well')
}

describe('fromDebezium', () => {
  const before = { id: 1, v: 'old' }
  const after = { id: 1, v: 'new' }

  for (const op of ['c', 'r', 'u']) {
    it(`makes an upsert of the row after the change: op ${op}`, () => {
      const event = { op, before: op === 'u' ? before : null, after, source: {}, ts_ms: 5 }
      const expected = { operation: 'upsert', row: after }
      expect(fromDebezium(event)).to.deep.equal(expected)
      expect(fromDebezium({ schema: null, payload: event })).to.deep.equal(expected)
      expect(fromDebezium(JSON.stringify(event))).to.deep.equal(expected)
      expect(fromDebezium(new TextEncoder().encode(JSON.stringify(event)))).to.deep.equal(expected)
    })
  }

  it('makes a delete of the row before it, or of the key', () => {
    expect(fromDebezium({ op: 'd', before, after: null })).to.deep.equal({ operation: 'delete', row: before })
    const byKey = { operation: 'delete', row: { id: 1 } }
    expect(fromDebezium({ op: 'd', before: null, after: null }, { id: 1 })).to.deep.equal(byKey)
    expect(fromDebezium({ op: 'd', before: null }, '{"schema":null,"payload":{"id":1}}')).to.deep.equal(byKey)
  })

  it('makes a delete of a tombstone with a key, and nothing of one without', () => {
    for (const tombstone of [null, undefined, '', 'null', { schema: null, payload: null }]) {
      expect(fromDebezium(tombstone, { id: 1 })).to.deep.equal({ operation: 'delete', row: { id: 1 } })
      expect(fromDebezium(tombstone)).to.equal(undefined)
    }
  })

  it("decodes a key by the key's own schema", () => {
    const key = {
      schema: { type: 'struct', fields: [{ type: 'int32', name: 'io.debezium.time.Date', field: 'day' }] },
      payload: { day: 20_000 },
    }
    expect(fromDebezium(null, key)?.row).to.deep.equal({ day: '2024-10-04' })
  })

  it('makes nothing of a message', () => {
    expect(fromDebezium({ op: 'm', message: { prefix: 'p', content: '' } })).to.equal(undefined)
  })

  const WRONG: readonly [value: unknown, key: unknown, said: RegExp][] = [
    [{ op: 't', before: null, after: null }, undefined, /truncate.*skipped\.operations/],
    [{ op: 'x' }, undefined, /`op`.*one of c, r, u, d, t, m/],
    [{ id: 1, v: 'flattened' }, undefined, /an envelope of Debezium/],
    [5, undefined, /an envelope of Debezium/],
    [[after], undefined, /an envelope of Debezium/],
    ['{"secret', undefined, /^Expected a change event as JSON$/],
    [{ op: 'c', after: null }, undefined, /`after`.*to be a row/],
    [{ op: 'c', after: '{"_id":1}' }, undefined, /`after`.*to be a row/],
    [{ op: 'd', before: null }, undefined, /no `before`, and no key/],
    [{ op: 'd', before: null }, '"text"', /the key's columns/],
  ]
  for (const [value, key, said] of WRONG) {
    it(`says what was expected instead of ${JSON.stringify(value)}`, () => {
      expect(failure(value, key).reason).to.match(said)
    })
  }

  for (const value of ['__debezium_unavailable_value', ['__debezium_unavailable_value']]) {
    it(`writes no placeholder over an unchanged value: ${JSON.stringify(value)}`, () => {
      const row = { id: 1, v: value, w: 'x' }
      expect(failure({ op: 'u', before: null, after: row })).to.include({ column: 'v' })
      expect(
        failure({ op: 'u', after: { v: Buffer.from(String(value)).toString('base64') } }).message,
      ).to.match(/REPLICA IDENTITY FULL/)
      expect(fromDebezium({ op: 'd', before: row })?.operation).to.equal('delete')
    })
  }

  it('says what cannot be read because it is nested too deep, or cut within a character', () => {
    const deep = `${'['.repeat(50_000)}1e400${']'.repeat(50_000)}`
    expect(failure(`{"op":"c","after":{"v":${deep}}}`)).to.include({ column: 'v' })
    for (const after of ['{"v":"\\ud83d"}', '{"\\udc00":1}', '{"v":["x\\ud83d"]}']) {
      expect(failure(`{"op":"c","after":${after}}`).reason).to.match(/half of a surrogate pair/)
    }
    expect(fromDebezium('{"op":"c","after":{"v":"\\ud83d\\ude00"}}')?.row).to.deep.equal({ v: '😀' })
  })

  it('refuses bytes that are not UTF-8, in values and keys', () => {
    const bytes = Buffer.from('{"op":"c","after":{"id":"é"}}', 'latin1')
    expect(failure(bytes).reason).to.equal('Expected a change event in UTF-8')
    expect(failure(null, Buffer.from('{"id":"é"}', 'latin1')).reason).to.match(/UTF-8/)
  })

  it('leaves values as they are without a schema, and long numbers whole', () => {
    const text =
      '{"op":"c","after":{"a":12345678901234567890,"b":[9007199254740993,1],"c":{"x":true},"d":0.1,"e":19000}}'
    expect(fromDebezium(text)?.row).to.deep.equal({
      a: '12345678901234567890',
      b: ['9007199254740993', 1],
      c: { x: true },
      d: 0.1,
      e: 19000,
    })
  })
})

describe('values of a change event with a schema', () => {
  const at = (name: string, type = 'int64') => ({ type, name })
  const CASES: readonly [field: object, json: string, expected: unknown][] = [
    [at('io.debezium.time.Date', 'int32'), '0', '1970-01-01'],
    [at('io.debezium.time.Date', 'int32'), '-1', '1969-12-31'],
    [at('org.apache.kafka.connect.data.Date', 'int32'), '11016', '2000-02-29'],
    [at('io.debezium.time.Date', 'int32'), '-719529', '0002-12-31 BC'],
    [at('io.debezium.time.Date', 'int32'), '2932897', '10000-01-01'],
    [at('io.debezium.time.Time', 'int32'), '45296789', '12:34:56.789'],
    [at('org.apache.kafka.connect.data.Time', 'int32'), '1', '00:00:00.001'],
    [at('io.debezium.time.MicroTime'), '86400000000', '24:00:00'],
    [at('io.debezium.time.MicroTime'), '-3020399000000', '-838:59:59'],
    [at('io.debezium.time.NanoTime'), '1000001', '00:00:00.001000001'],
    [at('io.debezium.time.Timestamp'), '1529507596945', '2018-06-20 15:13:16.945'],
    [at('org.apache.kafka.connect.data.Timestamp'), '-1', '1969-12-31 23:59:59.999'],
    [at('io.debezium.time.MicroTimestamp'), '1529507596945104', '2018-06-20 15:13:16.945104'],
    [at('io.debezium.time.MicroTimestamp'), '-62135596800000001', '0001-12-31 23:59:59.999999 BC'],
    [at('io.debezium.time.MicroTimestamp'), '9223372036825200000', 'infinity'],
    [at('io.debezium.time.Timestamp'), '-9223372036832400000', '-infinity'],
    [at('io.debezium.time.NanoTimestamp'), '1529507596945104123', '2018-06-20 15:13:16.945104123'],
    [
      at('io.debezium.time.ZonedTimestamp', 'string'),
      '"2018-06-20T15:13:16.945104Z"',
      '2018-06-20T15:13:16.945104Z',
    ],
    [at('io.debezium.time.MicroDuration'), '93784000000', '93784000000 microseconds'],
    [at('io.debezium.time.Interval', 'string'), '"P1Y2M3DT4H5M6.78S"', 'P1Y2M3DT4H5M6.78S'],
    [
      { ...at('org.apache.kafka.connect.data.Decimal', 'bytes'), parameters: { scale: '2' } },
      '"AN3q"',
      '568.10',
    ],
    [
      { ...at('org.apache.kafka.connect.data.Decimal', 'bytes'), parameters: { scale: '2' } },
      '"/w=="',
      '-0.01',
    ],
    [{ ...at('org.apache.kafka.connect.data.Decimal', 'bytes'), parameters: { scale: '0' } }, '"AA=="', '0'],
    [
      { ...at('org.apache.kafka.connect.data.Decimal', 'bytes'), parameters: { scale: '-3' } },
      '"gA=="',
      '-128000',
    ],
    [
      { ...at('org.apache.kafka.connect.data.Decimal', 'bytes'), parameters: { scale: '18' } },
      '12.345678901234567890',
      '12.345678901234567890',
    ],
    [at('io.debezium.data.VariableScaleDecimal', 'struct'), '{"scale":3,"value":"AeJA"}', '123.456'],
    [at('io.debezium.data.Json', 'string'), '"{\\"a\\": 1}"', '{"a": 1}'],
    [{ type: 'bytes' }, '"3q2+7w=="', Buffer.from('deadbeef', 'hex')],
    [{ type: 'array', items: at('io.debezium.time.Date', 'int32') }, '[0,null]', ['1970-01-01', null]],
    [{ type: 'int64' }, '9007199254740993', '9007199254740993'],
    [at('io.debezium.time.Date', 'int32'), 'null', null],
    [{ type: 'string', name: 'io.debezium.data.Enum' }, '"a"', 'a'],
  ]
  for (const [field, json, expected] of CASES) {
    it(`become what PostgreSQL takes: ${JSON.stringify(field)} ${json}`, () => {
      expect(decoded(field, json)).to.deep.equal(expected)
    })
  }

  const BAD: readonly [field: object, json: string, said: RegExp][] = [
    [at('io.debezium.time.Date', 'int32'), '1.5', /Field "v" has no integer/],
    [at('io.debezium.time.Date', 'int32'), '"today"', /has no integer/],
    [{ type: 'bytes' }, '"not base64!"', /has no base64/],
    [
      { ...at('org.apache.kafka.connect.data.Decimal', 'bytes'), parameters: { scale: '2' } },
      '""',
      /no digits/,
    ],
    [at('io.debezium.data.VariableScaleDecimal', 'struct'), '7', /has no base64/],
    [at('io.debezium.data.Bits', 'bytes'), '"AQ=="', /does not have the number of bits/],
  ]
  for (const [field, json, said] of BAD) {
    it(`are refused rather than guessed: ${JSON.stringify(field)} ${json}`, () => {
      expect(() => decoded(field, json))
        .to.throw(PgBatchError, said)
        .with.property('column', 'v')
    })
  }

  it('are refused where a JSON parser has rounded them', () => {
    const decimal = at('org.apache.kafka.connect.data.Decimal', 'bytes')
    for (const field of [at('io.debezium.time.NanoTimestamp'), { type: 'int64' }, decimal]) {
      const payload = { op: 'c', after: { id: 1, v: Number('1529507596945104123') } }
      const error = failure({ schema: schemaOf(field), payload })
      expect(error.message).to.match(/Field "v" was rounded by JSON\.parse: pass the text/)
    }
  })

  it('are bigints if a JSON parser makes them', () => {
    const decimal = at('org.apache.kafka.connect.data.Decimal', 'bytes')
    const point = at('io.debezium.data.geometry.Point', 'struct')
    const decode = (field: object, v: unknown) =>
      fromDebezium({ schema: schemaOf(field), payload: { op: 'c', after: { id: 1, v } } })?.row
    expect(decode(decimal, 12345678901234567890n)).to.include({ v: 12345678901234567890n })
    expect(decode({ type: 'int64' }, 2n ** 62n)).to.include({ v: 2n ** 62n })
    expect(decode(point, { x: 2n ** 62n, y: 1 })).to.include({ v: '(4611686018427387904,1)' })
  })

  it('are what a JSON parser made of a floating-point number', () => {
    const payload = { op: 'c', after: { id: 1, v: 1e20 } }
    expect(fromDebezium({ schema: schemaOf({ type: 'double' }), payload })?.row).to.include({ v: 1e20 })
    expect(fromDebezium({ op: 'c', after: { v: 1e20 } })?.row).to.deep.equal({ v: 1e20 })
  })

  it('are the decimals that Java would write, whatever their length', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), fc.nat(30), (unscaled, scale) => {
        // BigInteger.toByteArray: the fewest bytes that hold the sign
        let size = 1
        while (BigInt.asIntN(size * 8, unscaled) !== unscaled) size++
        const hex = BigInt.asUintN(size * 8, unscaled)
          .toString(16)
          .padStart(size * 2, '0')
        const value = Buffer.from(hex, 'hex').toString('base64')
        const field = {
          ...at('org.apache.kafka.connect.data.Decimal', 'bytes'),
          parameters: { scale: `${scale}` },
        }
        const text = String(decoded(field, JSON.stringify(value)))
        expect(BigInt(text.replace('.', ''))).to.equal(unscaled)
        expect(text.split('.')[1]?.length ?? 0).to.equal(scale)
      }),
      { seed: 20_261_123 },
    )
  })

  it('are the instants that JavaScript knows, in milliseconds', () => {
    const latest = Date.UTC(9999, 11, 31)
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: latest }), ms => {
        const text = String(decoded(at('io.debezium.time.Timestamp'), String(ms)))
        expect(new Date(`${text.replace(' ', 'T')}Z`).getTime()).to.equal(ms)
      }),
      { seed: 20_261_123 },
    )
  })
})
