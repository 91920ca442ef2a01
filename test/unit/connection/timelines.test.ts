import { expect } from 'chai'
import { type Timeline, Timelines } from '../../../lib/connection/timelines.ts'

describe('the timelines of servers', () => {
  const first = { timeline: '00000001', major: '17' }
  const promoted = { timeline: '0000000A', major: '17' }
  const upgraded = { timeline: '00000001', major: '18' }

  /** Returns whether a server is a former primary after these were seen. */
  const isOver = (server: Timeline, ...seen: Timeline[]): boolean => {
    const timelines = new Timelines()
    for (const each of seen) timelines.note(each)
    return timelines.isOver(server)
  }

  it('show a former primary once its successor was seen', () => {
    expect(isOver(first, first)).to.equal(false)
    expect(isOver(first, first, promoted)).to.equal(true)
    expect(isOver(promoted, first, promoted)).to.equal(false)
    expect(isOver(first, first, promoted, first)).to.equal(true)
  })

  it('begin again with a new major version, as after pg_upgrade', () => {
    expect(isOver(upgraded, promoted)).to.equal(false)
    expect(isOver(upgraded, promoted, upgraded)).to.equal(false)
  })
})
