import { expect } from 'chai'
import { openSources } from '../../../lib/sources/open-sources.ts'
import { useFolder } from '../../support/folder.ts'
import { failure } from './support.ts'

describe('openSources', () => {
  const file = useFolder()

  const files = (contents: Record<string, string>) =>
    Promise.all(Object.entries(contents).map(([name, content]) => file(name, content)))

  it('reads files one after the other, in order, and knows the file and number of each row', async () => {
    const paths = await files({ 'b.csv': 'a,b\n1,2\n3,4\n', 'a.csv': 'b,a\n6,5\n', 'c.csv': 'a,b\n' })
    const source = await openSources([...paths, paths[1]!])
    expect(source).to.deep.include({ format: 'csv', header: ['a', 'b'] })
    expect(await source.rows.toArray()).to.deep.equal([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
      { a: '5', b: '6' },
      { a: '5', b: '6' },
    ])
    expect([1, 2, 3, 4].map(row => source.placeOf(row))).to.deep.equal([
      `${paths[0]}: row 1`,
      `${paths[0]}: row 2`,
      `${paths[1]}: row 1`,
      `${paths[1]}: row 1`,
    ])
  })

  it('refuses another header before the first row, and says what differs', async () => {
    const [a, b] = await files({ 'd.csv': 'id,name\n1,x\n', 'e.csv': 'id,nom\n2,y\n' })
    expect(await failure(openSources([a!, b!]))).to.equal(
      `${b}: its header is not that of ${a}: it lacks "name" and it has "nom"`,
    )
  })

  it('refuses another format', async () => {
    const [a, b] = await files({ 'f.csv': 'id\n1\n', 'f.json': '[{"id":2}]' })
    expect(await failure(openSources([a!, b!]))).to.equal(
      `${b} is json and ${a} is csv; load them one by one, or those of one format by a pattern`,
    )
  })

  it('names the file of a row that is broken', async () => {
    const [a, b] = await files({ 'g.csv': 'a,b\n1,2\n', 'h.csv': 'a,b\n1,2\n3\n' })
    const { rows } = await openSources([a!, b!])
    expect(await failure(rows.toArray())).to.match(/h\.csv: the record that begins on line 3 has 1 field/)
  })
})
