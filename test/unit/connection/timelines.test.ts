import { expect } from 'chai'
import { Timelines } from '../../../lib/connection/timelines.ts'

describe('the timelines of servers', () => {
  const first = { timeline: '00000001', major: '17' }
  const promoted = { timeline: '0000000A', major: '17' }
  const upgraded = { timeline: '00000001', major: '18' }

  it('show a former primary once its successor was seen', () => {
    const timelines = new Timelines()
    timelines.note(first)
    expect(timelines.isOver(first)).to.equal(false)
    timelines.note(promoted)
    expect(timelines.isOver(first)).to.equal(true)
    expect(timelines.isOver(promoted)).to.equal(false)
    timelines.note(first)
    expect(timelines.isOver(first)).to.equal(true)
  })

  it('begin again with a new major version, as after pg_upgrade', () => {
    const timelines = new Timelines()
    timelines.note(promoted)
    expect(timelines.isOver(upgraded)).to.equal(false)
    timelines.note(upgraded)
    expect(timelines.isOver(upgraded)).to.equal(false)
  })
})
