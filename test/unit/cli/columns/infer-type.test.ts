import { expect } from 'chai'
import { ColumnInference } from '../../../../lib/cli/columns/infer-columns.ts'
import { LongNumber, RawJson } from '../../../../lib/values/exact-json.ts'
import { inferType, widerType } from '../../../../lib/values/infer-type.ts'

describe('the type inferred', () => {
  const texts: Record<string, string[]> = {
    boolean: ['true', 'FALSE'],
    integer: ['0', '-1', '2147483647', '-2147483648'],
    bigint: ['2147483648', '9223372036854775807', '-9223372036854775808'],
    numeric: ['9223372036854775808', '0.10', '-12.5', '1.00000000000000000001e+2'],
    'double precision': ['1e-5', '1.5e3', '-1.5E+300'],
    date: ['2026-11-23', '2024-02-29', '0001-01-01'],
    timestamp: ['2026-11-23 10:00', '2026-11-23T10:00:00.123456'],
    timestamptz: ['2026-11-23T10:00:00Z', '2026-11-23 10:00:00.5+02', '2026-11-23T10:00-0330'],
    uuid: ['6F9619FF-8B86-D011-B42D-00CF4FC964FF'],
    jsonb: ['{"a":1}', '[1,"x"]', '[{"a":"b\\":"},{"a":{"a" : null}}]', '{"__proto__":1,"toString":"x:"}'],
    text: [
      ...['', ' ', '007', '+1', '-0', '1,5', '1.', '.5', '0x1F', '12e5', 'NaN', 'Infinity', '1_000', ' 1'],
      ...['t', 'yes', 'on', '{a}', '[1', '{"a":"\\u0000"}', '"x"'],
      ...['{"a":1,"a":2}', '[{"b":{"a":1,"\\u0061" :1}}]'],
      ...['2026-02-30', '2025-02-29', '0000-01-01', '23.11.2026', '11/23/2026', '2026-1-5'],
      ...['2026-11-23T24:00:00', '2026-11-23T10:00:60', '2026-11-23T10:00:00.1234567', '10:00'],
      ...['6F9619FF8B86D011B42D00CF4FC964FF'],
    ],
  }
  for (const [type, values] of Object.entries(texts)) {
    it(`of CSV is ${type} for ${values.join(' ')}`, () => {
      expect(values.map(value => inferType(value, 'csv'))).to.deep.equal(values.map(() => type))
    })
  }

  it('of JSON depends on the kind of value: a string is never a number', () => {
    const values: [value: unknown, type: string | undefined][] = [
      [true, 'boolean'],
      [1, 'integer'],
      [2 ** 31, 'bigint'],
      [1e20, 'numeric'],
      [0.5, 'numeric'],
      [new LongNumber('10.50'), 'numeric'],
      [new LongNumber('5.0'), 'numeric'],
      [new LongNumber('1e3'), 'double precision'],
      [1.5e-7, 'double precision'],
      [new LongNumber('-0'), 'double precision'],
      [new LongNumber('-0.0'), 'numeric'],
      [-0, 'double precision'],
      [new LongNumber('9007199254740993'), 'bigint'],
      [new LongNumber('0.12345678901234567890'), 'numeric'],
      [{ a: 1 }, 'jsonb'],
      [[], 'jsonb'],
      [new RawJson('{"a":1}'), 'jsonb'],
      // jsonb would drop the first value, or refuse the NUL
      [new RawJson('[{"a":1,"a":2}]'), 'json'],
      [new RawJson('{"a":"\\u0000"}'), 'json'],
      ['1', 'text'],
      ['true', 'text'],
      ['{}', 'text'],
      ['2026-11-23', 'date'],
      [null, undefined],
    ]
    for (const [value, type] of values) expect(inferType(value, 'json')).to.equal(type)
  })

  it('of objects of a program knows dates and bytes, and no zone is guessed', () => {
    const values: [value: unknown, type: string | undefined][] = [
      [new Date(0), 'timestamptz'],
      [Buffer.from('a'), 'bytea'],
      [new Uint8Array(1), 'bytea'],
      [5n, 'integer'],
      [2n ** 70n, 'numeric'],
      [Number.NaN, 'double precision'],
      [Number.POSITIVE_INFINITY, 'double precision'],
      ['2026-11-23 10:00', 'timestamp'],
      ['2026-11-23T10:00Z', 'timestamptz'],
      ['1', 'text'],
      [[1], 'jsonb'],
      [{ toPostgres: () => '5' }, 'text'],
      [new RawJson('{}'), 'jsonb'],
      [undefined, undefined],
    ]
    for (const [value, type] of values) expect(inferType(value, 'object'), String(type)).to.equal(type)
    // a string for a jsonb column has to be JSON
    expect(widerType('jsonb', 'text', 'object')).to.equal('text')
    expect(widerType('jsonb', 'integer', 'object')).to.equal('jsonb')
    expect(widerType('json', 'text', 'object')).to.equal('text')
    for (const type of ['jsonb', 'boolean'] as const)
      expect(widerType(type, 'json', 'object')).to.equal('json')
  })

  const columns: [kind: 'csv' | 'json', values: unknown[], type: string][] = [
    ['csv', ['1', null, '3000000000'], 'bigint'],
    ['csv', ['1', '0.5'], 'numeric'],
    ['csv', ['1', '1e-5'], 'double precision'],
    ['csv', ['3000000000', '1e-5'], 'numeric'],
    ['csv', ['1e-5', '3000000000'], 'numeric'],
    ['csv', ['1', 'true'], 'text'],
    ['csv', ['1', '007'], 'text'],
    ['csv', ['2026-11-23', '2026-11-23 10:00'], 'text'],
    ['csv', ['2026-11-23 10:00Z', '2026-11-23 10:00'], 'text'],
    ['csv', ['{}', 'x'], 'text'],
    ['csv', ['1', ''], 'text'],
    ['csv', [null, null], 'text'],
    ['json', [{}, 'x', 1], 'jsonb'],
    ['json', [new RawJson('{"a":1,"a":2}'), {}, 'x', 1], 'json'],
    ['json', [1, 'x'], 'text'],
    ['json', [1, 0.5], 'numeric'],
    ['json', [0.5, new LongNumber('1e3')], 'numeric'],
  ]
  for (const [kind, values, type] of columns) {
    it(`of a ${kind} column with ${JSON.stringify(values)} is ${type}`, () => {
      const inference = new ColumnInference(kind)
      for (const a of values) inference.add({ a })
      expect(inference.columns()).to.deep.equal([{ name: 'a', type, always: !values.includes(null) }])
    })
  }

  it('knows which columns always have a value', () => {
    const inference = new ColumnInference('json', ['never'])
    for (const row of [{ a: 1, b: 1 }, { a: 2 }, { a: 3, b: 2 }]) inference.add(row)
    expect(inference.columns().map(({ name, always }) => [name, always])).to.deep.equal([
      ['never', false],
      ['a', true],
      ['b', false],
    ])
  })
})
