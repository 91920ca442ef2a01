import { expect } from 'chai'
import { laneChooser } from '../../../lib/writable/choose-lane.ts'

describe('laneChooser', () => {
  const later = async (): Promise<never> => {
    throw new Error('nothing else handles this')
  }

  it('refuses a Promise of laneOf, which would send all items to one lane', () => {
    const laneOf = laneChooser({ laneOf: later as never, checkpoint: undefined, concurrency: 2 })!
    expect(() => laneOf({})).to.throw('`laneOf` returned a Promise: it has to be synchronous')
  })

  it('refuses a Promise of a position', () => {
    const checkpoint = { name: 'c', position: later as never, table: { name: 't' } } as never
    const laneOf = laneChooser({ laneOf: undefined, checkpoint, concurrency: 2 })!
    expect(() => laneOf({})).to.throw('`checkpoint.position` returned a Promise: it has to be synchronous')
  })
})
