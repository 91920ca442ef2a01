import { expect } from 'chai'
import { didYouMean } from '../../../../lib/values/names/did-you-mean.ts'
import { nearest } from '../../../../lib/values/names/nearest.ts'
import { cpuMs } from '../../../support/processes/cpu-time.ts'

describe('nearest', () => {
  const known = ['id', 'order_id', 'total', 'note', 'Notes']

  it('finds what was mistyped, whatever its case, spaces and punctuation', () => {
    expect(nearest('Totl', known)).to.deep.equal(['total'])
    expect(nearest('ntoe', known)).to.deep.equal(['note'])
    expect(nearest('Order ID', known)).to.deep.equal(['order_id'])
    expect(nearest('ID', known)).to.deep.equal(['id'])
  })

  it('finds all that are equally near', () => {
    expect(didYouMean('note_', known)).to.equal('; did you mean "note" or "Notes"?')
  })

  it('finds nothing where nothing is near', () => {
    expect(didYouMean('customer', known)).to.equal('')
    expect(didYouMean('x', known)).to.equal('')
    expect(didYouMean('zip', known)).to.equal('')
    expect(didYouMean('i', known)).to.equal('')
    expect(didYouMean('x', [])).to.equal('')
  })

  it('answers at once for a word, or a name, of megabytes', () => {
    const long = 'n'.repeat(5_000_000)
    const spent = cpuMs(() => {
      expect(nearest(long, [...known, long])).to.deep.equal([])
      expect(nearest('note', [long, ...known])).to.deep.equal(['note'])
    })
    expect(spent).to.be.below(1000)
  })
})
