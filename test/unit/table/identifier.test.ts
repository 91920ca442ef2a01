import { expect } from 'chai'
import fc from 'fast-check'
import { parseTableName, quoteIdentifier, quoteTable } from '../../../lib/table/identifier.ts'

describe('names of tables', () => {
  const NAMES: readonly [text: string, schema: string | undefined, name: string][] = [
    ['orders', undefined, 'orders'],
    ['Orders', undefined, 'Orders'],
    ['sales.orders', 'sales', 'orders'],
    ['sales.orders.2026', 'sales', 'orders.2026'],
    ['"a.b"', undefined, 'a.b'],
    ['"a.b"."c.d"', 'a.b', 'c.d'],
    ['"a.b".c.d', 'a.b', 'c.d'],
    ['"say ""hi"""', undefined, 'say "hi"'],
    ['"a"".b".c', 'a".b', 'c'],
    ['a b', undefined, 'a b'],
  ]
  for (const [text, schema, name] of NAMES) {
    it(`are split once, never inside quotes: ${text}`, () => {
      expect(parseTableName(text)).to.deep.equal(schema === undefined ? { name } : { schema, name })
    })
  }

  it('are not split when they come in parts', () => {
    expect(parseTableName({ schema: 'a.b', name: '"c"' })).to.deep.equal({ schema: 'a.b', name: '"c"' })
  })

  it('are read back unchanged from their quoted form, with any characters', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '.', '"', ' ', 'Ü'), minLength: 1 })
    let runs = 0
    fc.assert(
      fc.property(part, part, (schema, name) => {
        runs++
        expect(parseTableName(quoteTable({ schema, name }))).to.deep.equal({ schema, name })
        expect(parseTableName(quoteIdentifier(name))).to.deep.equal({ name })
      }),
      { seed: 20_261_123 },
    )
    expect(runs).to.be.at.least(100)
  })
})
