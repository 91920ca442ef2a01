import fc from 'fast-check'

/** Values for the types of pgvector. */

const numbers = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -2, max: 2, noNaN: true }) },
  { weight: 2, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 2, arbitrary: fc.integer({ min: -3, max: 3 }) },
  fc.double(),
  fc.double({ min: -70_000, max: 70_000, noNaN: true }),
  // in the middle between two floats of 32 or of 16 bits
  fc.constantFrom(
    1 + 2 ** -24,
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    2 ** -25,
    3 * 2 ** -25,
    2 ** -24,
    65519,
    65520,
  ),
  fc.constantFrom(0, -0, 1e-40, 1e-46, 3e38, 3.5e38, 6.1e-5, 5.96e-8, 2.9e-8),
)
const decimals = fc.oneof(
  { weight: 6, arbitrary: numbers.map(number => (Object.is(number, -0) ? '-0' : String(number))) },
  fc.constantFrom('1e3', '1E-3', '.5', '5.', '+1', ' 1', '1 ', '0x10', 'NaN', 'inf', '', 'x', '007', '1_0'),
)

/** Mostly three dimensions, as the columns of the tests have. */
const few = { minLength: 0, maxLength: 5 }
const three = { minLength: 3, maxLength: 3 }
const listsOf = <T>(items: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.oneof({ weight: 5, arbitrary: fc.array(items, three) }, fc.array(items, few))

const texts = fc.oneof(
  { weight: 4, arbitrary: listsOf(numbers).map(list => JSON.stringify(list)) },
  { weight: 2, arbitrary: listsOf(numbers).map(list => `[${list.join(', ')}]`) },
  listsOf(decimals).map(list => `[${list.join(',')}]`),
  fc.constantFrom('[]', '[', '[1,2,3', '[1,2,3]]', ' [1,2,3] ', '[1,,2]', '[1,2,3,]', '{1,2,3}', ''),
)

const lists = fc.oneof(
  { weight: 3, arbitrary: listsOf(numbers) },
  listsOf(numbers).map(list => Float32Array.from(list)),
  listsOf(numbers).map(list => Float64Array.from(list)),
  fc.array(fc.oneof({ weight: 3, arbitrary: numbers }, decimals, fc.bigInt()), three),
  fc.constantFrom<unknown>(
    [1, null, 3],
    [[1, 2, 3]],
    [true, 1, 2],
    new Array(3),
    [1, '2,3'],
    Float32Array.of(),
  ),
)

export const vectors: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 2, arbitrary: lists },
  { weight: 2, arbitrary: texts },
  texts.map(text => ({ toPostgres: () => text })),
  fc.constantFrom<unknown>(
    Buffer.from('00010000', 'hex'),
    Buffer.from('000300003f8000003f8000003f800000', 'hex'),
  ),
)

const entry = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.integer({ min: -1, max: 5 })),
    decimals,
  )
  .map(([index, value]) => `${index}:${value}`)
const sparseTexts = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.subarray([1, 2, 3]), fc.array(numbers, three))
      .map(([indexes, values]) => `{${indexes.map((index, i) => `${index}:${values[i]}`).join(',')}}/3`),
  },
  fc.array(entry, { maxLength: 3 }).map(entries => `{${entries.join(',')}}/3`),
  fc.constantFrom(
    '{}/3',
    '{}/0',
    '{}/2',
    '{}',
    '{1:1}/03',
    '{ 1:1 }/3',
    '{1:1,}/3',
    '{}/1000000001',
    '{1:1}/3 ',
  ),
)

export const sparseVectors: fc.Arbitrary<unknown> = fc.oneof(lists, { weight: 2, arbitrary: sparseTexts })
