import { expect } from 'chai'
import { listColumns, listNames } from '../../../../lib/values/names/list-names.ts'

describe('the names in a message', () => {
  const names = Array.from({ length: 1210 }, (_, index) => `n${index}`)

  it('are all listed while they are few', () => {
    expect(listNames(['a'])).to.equal('a')
    expect(listNames(names.slice(0, 10))).to.equal('n0, n1, n2, n3, n4, n5, n6, n7, n8, n9')
    expect(listColumns(names.slice(0, 30))).to.equal(names.slice(0, 30).join(', '))
  })

  it('are bounded, and the others are counted', () => {
    expect(listNames(names)).to.equal('n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 1,200 more')
    expect(listColumns(names)).to.match(/ n29 and 1,180 more$/)
  })
})
