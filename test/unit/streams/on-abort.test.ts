import { getEventListeners, getMaxListeners, once } from 'node:events'
import { expect } from 'chai'
import { onAbort } from '../../../lib/streams/on-abort.ts'

describe('onAbort', () => {
  it('adds one listener for all that share a signal, and takes it off with the last of them', () => {
    const { signal } = new AbortController()
    const limit = getMaxListeners(signal)
    const unlisten = Array.from({ length: 100 }, () => onAbort(signal, () => {}))
    expect(getEventListeners(signal, 'abort')).to.have.length(1)
    for (const each of [...unlisten, ...unlisten].slice(1)) each()
    expect(getEventListeners(signal, 'abort')).to.have.length(0)
    expect(getMaxListeners(signal)).to.equal(limit)
  })

  it('calls the others, too, where one throws', async () => {
    const abort = new AbortController()
    const called: string[] = []
    const mistake = new Error('a mistake')
    onAbort(abort.signal, () => {
      throw mistake
    })
    onAbort(abort.signal, () => void called.push('other'))
    const listeners = process.rawListeners('uncaughtException') as NodeJS.UncaughtExceptionListener[]
    process.removeAllListeners('uncaughtException')
    const thrown = once(process, 'uncaughtException')
    abort.abort()
    try {
      expect(called).to.deep.equal(['other'])
      expect((await thrown)[0]).to.equal(mistake)
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })

  it('calls each that still listens once', () => {
    const abort = new AbortController()
    const called: string[] = []
    const note = (name: string) => () => void called.push(name)
    const unlisten = onAbort(abort.signal, note('off'))
    unlisten()
    onAbort(abort.signal, note('first'))
    onAbort(abort.signal, () => last())
    const last = onAbort(abort.signal, note('taken off by another'))
    onAbort(abort.signal, note('last'))
    abort.abort()
    unlisten()
    expect(called).to.deep.equal(['first', 'last'])
  })
})
