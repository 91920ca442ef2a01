import { expect } from 'chai'
import { fittersOf } from '../../../../lib/cli/rows/fit-value.ts'
import { codecFor } from '../../../../lib/encode/codecs/codec-for.ts'
import { parseJsonRow } from '../../../../lib/sources/json/json-row.ts'
import type { PgType, Table } from '../../../../lib/types.ts'

const of = (extension: string, name: string): PgType => ({
  oid: 0,
  name,
  sqlName: name,
  builtIn: false,
  kind: 'base',
  extension,
})

/** What a column of the type gets for a value of a JSON file. */
function fitted(type: PgType, json: string): unknown {
  const table = { columns: [{ name: 'c', type }] } as unknown as Table
  const row = parseJsonRow(`{"c":${json}}`) as Record<string, unknown>
  return fittersOf(table, { lists: 'json', jsonTexts: 'string' }).get('c')!(row.c)
}

describe('values of JSON files for columns of extensions', () => {
  it('keep GeoJSON as an object, whose text is EWKB', () => {
    const geography = of('postgis', 'geography')
    const point = fitted(geography, '{"type":"Point","coordinates":[1.50,2]}')
    expect(point).to.deep.equal({ type: 'Point', coordinates: [1.5, 2] })
    expect(codecFor(geography).text(point)).to.match(/^0000000001/)
    expect(fitted(geography, '"POINT(1 2)"')).to.equal('POINT(1 2)')
    expect(fitted(geography, 'null')).to.equal(null)
  })

  it('keep the numbers of a vector, with digits that a number of JavaScript lacks', () => {
    const vector = of('vector', 'vector')
    const list = fitted(vector, '[1e-05, 0.10, 0.12345678901234567890]')
    expect(codecFor(vector).text(list)).to.match(/^\[[-\de.]+,0\.10?,0\.1234567890123456789?0?\]$/)
  })
})
