import fc from 'fast-check'
import { awkwardText } from './texts.ts'

class Point {
  get x() {
    return 1
  }
  toString() {
    return 'a point'
  }
}

/** Values of every JavaScript kind, for every column. */
export const oddValues: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    false,
    0,
    -0,
    1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1n,
    '',
    'x',
    {},
    Symbol('s'),
    () => 1,
    new Point(),
    Object.create(null),
    new Map([[1, 2]]),
    Object(5),
    Object('boxed'),
    Object(true),
    Object(1n),
    /re/,
    new Date(Number.NaN),
    new Date(0),
    new ArrayBuffer(4),
    { toPostgres: () => '1' },
    { toPostgres: () => 1 },
    { toPostgres: () => null },
    { toPostgres: () => new Date(0) },
    { toPostgres: () => ({ toPostgres: () => 'true' }) },
    { toPostgres: () => Buffer.from([1]) },
    { toPostgres: (prepare: (value: unknown) => unknown) => prepare(5) },
    {
      toPostgres: () => {
        throw new Error('no')
      },
    },
    { toPostgres: 5 },
    { toJSON: () => 7 },
    { toJSON: () => undefined },
    Object.assign(Object.create(Date.prototype), {}),
    circular(),
    [],
    [1],
    [null],
    ['a', 'b'],
    [
      [1, 2],
      [3, 4],
    ],
    [[]],
    [[1], [2, 3]],
    [new Date(0)],
    [{}],
    [undefined],
    [[1], null],
  ),
  awkwardText,
)

function circular(): object {
  const loop: { toPostgres: () => unknown } = { toPostgres: () => loop }
  return loop
}

/** Arrays of up to three dimensions, most of them rectangular. */
export function arraysOf(element: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const item = fc.oneof(
    { weight: 12, arbitrary: element },
    { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
  )
  const row = (length: number): fc.Arbitrary<unknown[]> =>
    fc.array(item, { minLength: length, maxLength: length })
  return fc.oneof(
    fc.array(item, { maxLength: 3 }),
    fc.array(item, { maxLength: 1 }),
    fc.array(row(2), { minLength: 1, maxLength: 2 }),
    fc.array(fc.array(item, { maxLength: 2 }), { maxLength: 2 }),
    fc.array(fc.array(row(1), { minLength: 1, maxLength: 1 }), { minLength: 1, maxLength: 2 }),
    fc.constantFrom<unknown>(
      '{}',
      '{1,2}',
      '{NULL}',
      '{"a","b"}',
      '[0:1]={1,2}',
      '{{1},{2}}',
      '',
      [[[[[[1]]]]]],
      [[[[[[[1]]]]]]],
      [[], []],
      ['a', ['b']],
      Array(2),
    ),
  )
}
