import { Readable } from 'node:stream'
import { expect } from 'chai'
import { decodeConnectValue } from '../../lib/change-events/connect-values.ts'
import { fromDebezium } from '../../lib/change-events/debezium.ts'
import { chooseColumns } from '../../lib/cli/columns/choose-columns.ts'
import { createTableSql } from '../../lib/cli/columns/create-table.ts'
import { matchColumns } from '../../lib/cli/columns/match-columns.ts'
import { refusesValue, type ServerError } from '../../lib/connection/server-error.ts'
import { parseJson } from '../../lib/kafka/messages/json-value.ts'
import { showsFormat } from '../../lib/sources/format.ts'
import { firstDocument } from '../../lib/sources/json/first-document.ts'
import { parseJsonRow } from '../../lib/sources/json/json-row.ts'
import { RecordCutter } from '../../lib/sources/json/record-cutter.ts'
import { firstRepeated } from '../../lib/sources/repeated.ts'
import { refuseForeign } from '../../lib/sources/signatures.ts'
import type { Source } from '../../lib/sources/source.ts'
import { exactNumber, isExact, parseExactJson } from '../../lib/values/exact-json.ts'
import { inferType } from '../../lib/values/infer-type.ts'
import { nearest } from '../../lib/values/names/nearest.ts'
import { readUnscaled } from '../../lib/values/unscaled-decimal.ts'
import { cpuMs } from '../support/processes/cpu-time.ts'

const MB = 1_000_000
const times = (text: string, count = MB / text.length) => text.repeat(count)
/** What a regular expression for zeros at the end, for one, looks at from each zero on. */
const ZEROS = `0.${times('0')}1`
const texts: readonly [title: string, text: string][] = [
  ['zeros before another digit', ZEROS],
  ['zeros before a one, and more zeros', `1${times('0', 500_000)}1${times('0', 500_000)}`],
  ['digits', times('9')],
  ['digits after a point', `0.${times('1')}`],
  ['an exponent of many digits', `1e${times('9')}`],
  ['a zero with an exponent of many digits', `0e${times('9')}`],
]
const message = (value: string) => Buffer.from(`{"a":${value}}`)
const bytes = (text: string) => Buffer.from(text).toString('base64')

/** As many names as a header of 1 MB has, and a table that --create makes of them. */
const header = Array.from({ length: 150_000 }, (_, index) => `c${index}`)
const wide = {
  name: 't',
  columns: header.map(name => ({ name, generated: false, identity: 'none' as const })),
}
const wideFile: Source = {
  name: 'wide.csv',
  format: 'csv',
  rows: Readable.from([]),
  notes: [],
  live: false,
  description: '',
}

const CASES: readonly [title: string, work: () => unknown][] = [
  ...texts.flatMap(([title, text]): [string, () => unknown][] => [
    [`exactNumber of ${title}`, () => exactNumber(text)],
    [`isExact of ${title}`, () => isExact(text)],
    [`parseExactJson of ${title}`, () => parseExactJson(`[${text}]`)],
    [`a row of NDJSON with ${title}`, () => parseJsonRow(`{"a":${text},"b":[${text}]}`)],
    [`Kafka's default parser of ${title}`, () => parseJson(message(text))],
    [`fromDebezium of ${title}`, () => fromDebezium(`{"op":"c","after":{"a":${text}}}`)],
    [`the type of a cell with ${title}`, () => inferType(text, 'csv')],
    [`the type of a cell with ${title} and a letter`, () => inferType(`${text}x`, 'csv')],
    [`the type of JSON with ${title}`, () => inferType(exactNumber(text), 'json')],
  ]),
  ['the columns of a header with 150,000 names', () => chooseColumns({ ...wideFile, header }, wide, {})],
  [
    'the table of a header with 300,000 names',
    () => {
      const columns = Array.from({ length: 300_000 }, (_, i) => ({
        name: `c${i}`,
        type: 'text',
        always: true,
      }))
      createTableSql({ name: 't' }, columns, {})
    },
  ],
  ['strings of backslashes', () => parseJsonRow(`{"a":"${times('\\\\')}","b":1.0}`)],
  ['strings of quotes', () => parseExactJson(`["${times('\\"')}",1e9]`)],
  ['brackets in strings', () => parseJsonRow(`{"a":["${times('[{')}"]}`)],
  ['deep lists', () => parseJsonRow(`{"a":${times('[', MB / 2)}${times(']', MB / 2)}}`)],
  ['many short values', () => parseJsonRow(`{"a":[${times('1.0,')}1],"b":[${times('"",')}1]}`)],
  ['points and zeros', () => parseJsonRow(`{"a":"${times('.0000x')}"}`)],
  ['surrogates', () => parseJson(message(`"${times('\\ud83d\\ude00')}"`))],
  [
    'an array in pieces of one byte',
    () => {
      const cutter = new RecordCutter([])
      for (const character of `[{"a":"${times('\\"\\\\', 200_000)}"}]`)
        for (const _ of cutter.cut(character));
    },
  ],
  [
    'a value beside the path in pieces of one byte',
    () => {
      const cutter = new RecordCutter(['b'])
      for (const character of `{"a":"${times('\\"\\\\', 200_000)}"}`) for (const _ of cutter.cut(character));
    },
  ],
  ...[
    `- a: ${times('x: ')}`,
    `- a: ${times('x: ')}\nb`,
    `- a\n- ${times('x: ')}`,
    times(' \t'),
    times('# '),
  ].map((text): [string, () => unknown] => [
    `the signatures of ${JSON.stringify(text.slice(0, 10))}`,
    () => refuseForeign(Buffer.from(text), 'standard input', undefined, undefined),
  ]),
  ['the beginning of a string without an end', () => firstDocument(`{"a":"${times('[{\\"')}`)],
  ['the beginning of brackets', () => firstDocument(times('{"a":[[', MB / 7))],
  [
    'integers of Connect',
    () => expect(() => decodeConnectValue(times('9'), { name: 'io.debezium.time.Date' })).to.throw(),
  ],
  [
    'decimals of Connect',
    () => {
      const schema = { name: 'org.apache.kafka.connect.data.Decimal', parameters: { scale: '2' } }
      expect(() => decodeConnectValue(bytes(times('x')), schema)).to.throw(/more digits/)
    },
  ],
  [
    'a scale of Connect',
    () => {
      const value = { scale: -2_000_000_000, value: 'AeJA' }
      expect(() => decodeConnectValue(value, { name: 'io.debezium.data.VariableScaleDecimal' })).to.throw(
        /scale/,
      )
    },
  ],
  [
    'text that is not base64',
    () => expect(() => decodeConnectValue(`${times('a')}!===`, { type: 'bytes' })).to.throw(),
  ],
  ['decimals of Parquet', () => expect(() => readUnscaled(Buffer.alloc(MB, 0x7f))).to.throw(RangeError)],
  ['the longest decimal of numeric', () => readUnscaled(Buffer.alloc(61_000, 0x7f))],
  [
    'the context of an error',
    () => refusesValue({ code: '22P02', where: `${times('$1')}\nx` } as ServerError),
  ],
  [
    'the context of a COPY',
    () => refusesValue({ code: '22P02', where: `COPY ${times(', a 1')}` } as ServerError),
  ],
  ['an unknown name', () => nearest(times('a'), ['a', times('b', 1000)])],
  [
    'unknown names of many',
    () =>
      nearest(
        'name',
        Array.from({ length: 300_000 }, (_, i) => times(`n${i}`, 5)),
      ),
  ],
  ['40,000 names', () => firstRepeated(Array.from({ length: 40_000 }, (_, i) => `name ${i}`))],
  [
    '40,000 names of a header and 1,600 columns',
    () => {
      const keys = Array.from({ length: 40_000 }, (_, i) => `Name ${i}`)
      const known = Array.from({ length: 1600 }, (_, i) => `column_${i}`)
      matchColumns(keys, known, new Map(), 'f.csv')
    },
  ],
  [
    'blanks before the first character',
    () => {
      for (
        let head = Buffer.alloc(65_536, ' ');
        !showsFormat(head);
        head = Buffer.concat([head, Buffer.alloc(65_536, ' ')])
      );
    },
  ],
]

describe('1 MB of the worst case takes time that grows with its length', () => {
  for (const [title, work] of CASES) {
    it(title, () => {
      // a quadratic way through 1 MB takes minutes
      expect(cpuMs(work)).to.be.below(3000)
    }).timeout(60_000)
  }
})
