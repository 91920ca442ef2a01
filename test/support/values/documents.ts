import fc from 'fast-check'
import { awkwardText } from './texts.ts'

export const bytes: fc.Arbitrary<unknown> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map(b => Buffer.from(b)),
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map(b => new DataView(b.buffer, 2, 5)),
  fc.constant(new Uint16Array([1, 2, 65535])),
  awkwardText,
  fc.uint8Array({ maxLength: 40 }).map(b => `\\x${Buffer.from(b).toString('hex')}`),
  fc.constantFrom(
    '\\xDEADBEEF',
    '\\xdeadbee',
    '\\x de ad',
    '\\xzz',
    '\\000',
    '\\\\',
    'abc \\153\\154\\155 \\052\\251\\124',
  ),
)

const jsonValue = fc.jsonValue({ maxDepth: 2 })
export const jsons: fc.Arbitrary<unknown> = fc.oneof(
  jsonValue.filter(value => !Array.isArray(value)),
  jsonValue.map(value => JSON.stringify(value)),
  fc.object({ maxDepth: 2 }),
  awkwardText.map(s => ({ [s]: s })),
  awkwardText.map(s => JSON.stringify(s)),
  fc.constantFrom(
    '{"a":1, "a":2}',
    '"\\u0000"',
    '{"a": "\\u0000"}',
    '"\\ud800"',
    'nul',
    '{',
    '1e400',
    '-0',
    'null',
    ' [1 , 2] ',
    'NaN',
    { a: 1n },
    { a: undefined },
    { toJSON: () => undefined },
  ),
)
