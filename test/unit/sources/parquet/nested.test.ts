import { expect } from 'chai'
import fc from 'fast-check'
import { useFolder } from '../../../support/folder.ts'
import { type Element, type MadeColumn, parquetOf } from '../../../support/parquet.ts'
import { thorough } from '../../../support/thorough.ts'
import { readParquet, utf8 } from './parquet-support.ts'

/** A node of a schema, and values for it. */
interface Node {
  readonly schema: readonly Element[]
  readonly values: fc.Arbitrary<unknown>
}

const MAX_LENGTH = 3

const named = ({ schema: [first, ...below] }: Node, name: string): Element[] => [
  { ...first!, name },
  ...below,
]

/** The same node, whose values may be NULL or may not. */
const maybeNull = ({ schema: [first, ...below], values }: Node): fc.Arbitrary<Node> =>
  fc.constantFrom<Node>(
    {
      schema: [{ ...first!, repetition_type: 'OPTIONAL' }, ...below],
      values: fc.option(values, { freq: 3 }),
    },
    { schema: [{ ...first!, repetition_type: 'REQUIRED' }, ...below], values },
  )

const leaves = fc.constantFrom<Node>(
  { schema: [{ type: 'INT32' }], values: fc.integer() },
  { schema: [{ type: 'BOOLEAN' }], values: fc.boolean() },
  { schema: [utf8], values: fc.constantFrom('', 'a', 'ä', 'text '.repeat(20)) },
  { schema: [{ type: 'DOUBLE' }], values: fc.constantFrom(0, 1.5, -1e300) },
)

const listOf = (element: Node): Node => ({
  schema: [
    { converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...named(element, 'element'),
  ],
  values: fc.array(element.values, { maxLength: MAX_LENGTH }),
})

const mapOf = (value: Node): Node => ({
  schema: [
    { converted_type: 'MAP', num_children: 1 },
    { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
    { name: 'key', ...utf8, repetition_type: 'REQUIRED' },
    ...named(value, 'value'),
  ],
  values: fc.dictionary(fc.constantFrom('a', 'b', 'key'), value.values, { noNullPrototype: true }),
})

const structOf = (fields: readonly Node[]): Node => ({
  schema: [{ num_children: fields.length }, ...fields.flatMap((field, i) => named(field, `f${i}`))],
  values: fc.record(Object.fromEntries(fields.map(({ values }, i) => [`f${i}`, values]))),
})

function nodes(depth: number): fc.Arbitrary<Node> {
  const plain = leaves.chain(maybeNull)
  if (depth === 0) return plain
  const below = nodes(depth - 1)
  return fc
    .oneof(below.map(listOf), below.map(mapOf), fc.array(below, { minLength: 1, maxLength: 3 }).map(structOf))
    .chain(maybeNull)
}

const columns = fc
  .integer({ min: 1, max: 3 })
  .chain(nodes)
  .chain(({ schema, values }) =>
    fc.record({
      schema: fc.constant(schema),
      data: fc.array(values, { minLength: 1, maxLength: 30 }),
    }),
  )

describe('a column of lists, maps and structs', () => {
  const write = useFolder()

  it('has the values that were written, on however many pages they are', async () => {
    const sizes = fc.constantFrom(10, 50, 1 << 20)
    await fc.assert(
      fc.asyncProperty(columns, sizes, fc.boolean(), async ({ schema, data }, pageSize, behind) => {
        const column: MadeColumn = { name: 'v', schema, data, ...(behind ? {} : { encoding: 'PLAIN' }) }
        const { rows } = await readParquet(write, parquetOf([column], { pageSize, rowGroupSize: 11 }))
        expect(rows.map(({ v }) => v)).to.deep.equal(data)
      }),
      { numRuns: thorough(300) },
    )
  })

  it('has more rows than are assembled at a time', async () => {
    const { schema } = listOf({ schema: [{ type: 'INT32' }], values: fc.integer() })
    const data = Array.from({ length: 2500 }, (_, i) => (i % 7 === 0 ? null : Array(i % 5).fill(i)))
    const { rows } = await readParquet(write, parquetOf([{ name: 'v', schema, data }]))
    expect(rows.map(({ v }) => v)).to.deep.equal(data)
  })

  it('has a row on many pages', async () => {
    const { schema } = listOf({ schema: [utf8], values: fc.string() })
    const long = Array.from({ length: 3000 }, (_, i) => `text ${i}`)
    const data = [['a'], long, [], long.slice(5), ['b']]
    for (const encoding of ['PLAIN', 'RLE_DICTIONARY']) {
      const made = parquetOf([{ name: 'v', schema, data, encoding }], { pageSize: 500 })
      const { rows } = await readParquet(write, made)
      expect(rows.map(({ v }) => v)).to.deep.equal(data)
    }
  })
})
