import fc from 'fast-check'
import {
  amounts,
  arraysOf,
  awkwardText,
  bits,
  booleans,
  bytes,
  dateLikes,
  doubles,
  hstores,
  integers,
  intervals,
  jsons,
  macs,
  multirangesOf,
  networks,
  numerics,
  objects,
  paths,
  positions,
  rangesOf,
  rowsOf,
  singleBytes,
  times,
  uuids,
  xmls,
} from './index.ts'

/** The types that {@link COLUMNS} needs beside the built-in ones. */
export const CREATE_TYPES = `
      CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy', 'Ünï "q"', '${'x'.repeat(63)}');
      CREATE TYPE pair AS (a int, b text);
      CREATE TYPE float_range AS RANGE (SUBTYPE = float8);
      CREATE TYPE text_range AS RANGE (SUBTYPE = text, COLLATION = "C");
      CREATE DOMAIN small_range AS int4range CHECK (upper(VALUE) < 100);
      CREATE EXTENSION IF NOT EXISTS hstore;
      CREATE EXTENSION IF NOT EXISTS ltree;
      CREATE EXTENSION IF NOT EXISTS citext;
      CREATE DOMAIN positive AS int CHECK (VALUE > 0);
      CREATE DOMAIN money_base AS numeric(8,2);
      CREATE TYPE outer_pair AS (p pair, "when" timestamptz, label varchar(5), amount money_base);
      CREATE DOMAIN cents AS money_base CHECK (VALUE < 1000);
      CREATE DOMAIN ints AS int[] CHECK (cardinality(VALUE) < 3);`

const label = fc.oneof(
  fc.constantFrom('sad', 'ok', 'very happy', 'Ünï "q"', 'SAD', ' ok', 'x'.repeat(63)),
  awkwardText,
)
const label3: fc.Arbitrary<unknown> = label

/** With few enough decimals for a parameter without scale: see parameter.ts. */
const shortNumerics = numerics.filter(value => !/e-?\d{4}|\.\d{9999}/.test(String(value)))

const texts = (values: fc.Arbitrary<unknown>): fc.Arbitrary<string> => values.map(String)
const smallInteger = fc.integer({ min: -9, max: 99 }).map(String)
const integerTexts = texts(integers)
const decimalTexts = fc.oneof(texts(doubles), smallInteger)
const dates = fc.oneof(
  texts(dateLikes),
  fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
  fc.constantFrom('2026-01-05', '2026-01-05 12:00:00+02', 'infinity', '2026-01-05 12:00', 'today'),
)

/** A column's type, and what to store in it. */
export const COLUMNS: readonly (readonly [string, fc.Arbitrary<unknown>])[] = [
  ['boolean', booleans],
  ['int2', integers],
  ['int4', integers],
  ['int8', integers],
  ['float4', doubles],
  ['float8', doubles],
  ['numeric', numerics],
  ['numeric(6,2)', shortNumerics],
  ['numeric(20,0)', shortNumerics],
  ['text', awkwardText],
  ['varchar', awkwardText],
  ['varchar(5)', awkwardText],
  ['char(5)', awkwardText],
  ['bpchar', awkwardText],
  ['name', awkwardText],
  ['"char"', fc.oneof(singleBytes, awkwardText)],
  ['mood', label3],
  ['bytea', bytes],
  ['uuid', uuids],
  ['date', dateLikes],
  ['time', times],
  ['time(2)', times],
  ['timetz', times],
  ['timestamp', dateLikes],
  ['timestamp(1)', dateLikes],
  ['timestamptz', dateLikes],
  ['timestamptz(3)', dateLikes],
  ['interval', intervals],
  ['interval(1)', intervals],
  ['inet', networks],
  ['cidr', networks],
  ['json', jsons],
  ['jsonb', jsons],
  ['positive', integers],
  ['cents', shortNumerics],
  ['int4range', rangesOf(smallInteger)],
  ['int8range', rangesOf(integerTexts)],
  ['numrange', rangesOf(decimalTexts)],
  ['daterange', rangesOf(dates)],
  ['tsrange', rangesOf(dates)],
  ['tstzrange', rangesOf(dates)],
  ['float_range', rangesOf(decimalTexts)],
  ['text_range', rangesOf(fc.string({ maxLength: 3 }))],
  ['small_range', rangesOf(smallInteger)],
  ['int4range[]', arraysOf(rangesOf(smallInteger))],
  ['int4multirange', multirangesOf(smallInteger)],
  ['datemultirange', multirangesOf(dates)],
  ['float_multirange', multirangesOf(decimalTexts)],
  ['point', fc.constantFrom<unknown>('(1,2)', '1,2', 'x')],
  ['pair', rowsOf(smallInteger, fc.string({ maxLength: 5 }))],
  ['pair[]', arraysOf(rowsOf(smallInteger, fc.string({ maxLength: 5 })))],
  [
    'outer_pair',
    fc.oneof(
      rowsOf(fc.constantFrom('"(1,a)"', '(1\\,a)', ''), dates, fc.string({ maxLength: 6 }), decimalTexts),
      dates.map(date => `("(1,""a b"")","${date}",x,1.5)`),
    ),
  ],
  ['money', amounts],
  ['money[]', arraysOf(amounts)],
  ['bit(3)', bits],
  ['bit', bits],
  ['varbit', bits],
  ['varbit(5)', bits],
  ['varbit[]', arraysOf(bits)],
  ['macaddr', macs],
  ['macaddr8', macs],
  ['oid', objects],
  ['regclass', objects],
  ['regtype', objects],
  ['regproc', objects],
  ['regprocedure', objects],
  ['regoper', objects],
  ['regoperator', objects],
  ['regconfig', objects],
  ['regdictionary', objects],
  ['regrole', objects],
  ['regnamespace', objects],
  ['regcollation', objects],
  ['pg_lsn', positions],
  ['xml', xmls],
  ['jsonpath', fc.constantFrom<unknown>('$.a', 'strict $[*] ? (@ > 1)', '$.', '', '$."ü"')],
  ['hstore', hstores],
  ['ltree', paths],
  ['lquery', paths],
  ['ltxtquery', fc.constantFrom<unknown>('a & !b', 'a |', 'Europe & Russia*@', '')],
  ['citext', awkwardText],
  ['boolean[]', arraysOf(booleans)],
  ['int4[]', arraysOf(integers)],
  ['int8[]', arraysOf(integers)],
  ['float8[]', arraysOf(doubles)],
  ['numeric(6,2)[]', arraysOf(shortNumerics)],
  ['text[]', arraysOf(awkwardText)],
  ['varchar(5)[]', arraysOf(awkwardText)],
  ['bytea[]', arraysOf(bytes)],
  ['uuid[]', arraysOf(uuids)],
  ['date[]', arraysOf(dateLikes)],
  ['timestamp[]', arraysOf(dateLikes)],
  ['timestamptz[]', arraysOf(dateLikes)],
  ['interval[]', arraysOf(intervals)],
  ['inet[]', arraysOf(networks)],
  ['json[]', arraysOf(jsons)],
  ['jsonb[]', arraysOf(jsons)],
  ['mood[]', arraysOf(label3)],
  ['positive[]', arraysOf(integers)],
  ['ints', arraysOf(integers)],
]

/** Without a binary form here. */
export const TEXT_ONLY = new Set(['point'])
