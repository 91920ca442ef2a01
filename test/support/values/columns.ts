import fc from 'fast-check'
import {
  arraysOf,
  awkwardText,
  booleans,
  bytes,
  dateLikes,
  doubles,
  integers,
  intervals,
  jsons,
  networks,
  numerics,
  times,
  uuids,
} from './index.ts'

/** The types that {@link COLUMNS} needs beside the built-in ones. */
export const CREATE_TYPES = `
      CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy', 'Ünï "q"', '${'x'.repeat(63)}');
      CREATE TYPE pair AS (a int, b text);
      CREATE DOMAIN positive AS int CHECK (VALUE > 0);
      CREATE DOMAIN money_base AS numeric(8,2);
      CREATE DOMAIN cents AS money_base CHECK (VALUE < 1000);
      CREATE DOMAIN ints AS int[] CHECK (cardinality(VALUE) < 3);`

const label = fc.oneof(
  fc.constantFrom('sad', 'ok', 'very happy', 'Ünï "q"', 'SAD', ' ok', 'x'.repeat(63)),
  awkwardText,
)
const label3: fc.Arbitrary<unknown> = label

/** With few enough decimals for a parameter without scale: see parameter.ts. */
const shortNumerics = numerics.filter(value => !/e-?\d{4}|\.\d{9999}/.test(String(value)))

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
  ['"char"', awkwardText],
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
  ['int4range', fc.constantFrom<unknown>('[1,2)', 'empty', '(,)', 'x')],
  ['point', fc.constantFrom<unknown>('(1,2)', '1,2', 'x')],
  ['pair', fc.constantFrom<unknown>('(1,a)', '(1,"a,b")', '(,)', 'x')],
  ['money', doubles],
  ['bit(3)', fc.constantFrom<unknown>('101', '1', '1111', 'x')],
  ['xml', awkwardText],
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
export const TEXT_ONLY = new Set(['"char"', 'int4range', 'point', 'pair', 'money', 'bit(3)', 'xml'])
