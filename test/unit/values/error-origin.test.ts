import { expect } from 'chai'
import { errorOrigin } from '../../../lib/values/error-origin.ts'

/** What `work` throws. */
function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('Expected a failure, but it went well')
}

class OrderError extends Error {}

describe('errorOrigin', () => {
  it('returns the class of an error and the file, line and column where it was thrown', () => {
    const error = thrownBy(() => (undefined as unknown as { price: number }).price)
    expect(errorOrigin(error)).to.match(/^TypeError at error-origin\.test\.ts:18:\d+$/)
  })

  it('names a class of the user, which need not have set its name', () => {
    expect(errorOrigin(new OrderError('secret'))).to.match(/^OrderError at error-origin\.test\.ts:23:\d+$/)
  })

  it('names the place of the call where a function of Node.js or JavaScript threw', () => {
    const error = thrownBy(() => JSON.parse('{"secret'))
    expect(errorOrigin(error)).to.match(/^SyntaxError at error-origin\.test\.ts:27:\d+$/)
  })

  it('finds the place of an error that an async function threw', async () => {
    const fails = async (): Promise<void> => {
      await null
      throw new OrderError('secret')
    }
    const error = await fails().catch(reason => reason)
    expect(errorOrigin(error)).to.match(/^OrderError at error-origin\.test\.ts:34:\d+$/)
  })

  it('repeats nothing of a message that looks like a stack frame', () => {
    const error = new OrderError('no\n    at secret (/data/secret.ts:1:2)')
    expect(errorOrigin(error)).to.match(/^OrderError at error-origin\.test\.ts:41:\d+$/)
    const changed = new OrderError('    at secret (/data/secret.ts:1:2)')
    expect(changed.stack).to.contain('/data/secret.ts') // read, so that it keeps the old message
    changed.message = 'another'
    expect(errorOrigin(changed)).to.equal('OrderError')
  })

  it('returns the class alone for an error without a stack, or without a frame of the user', () => {
    expect(errorOrigin(Object.assign(new RangeError('x'), { stack: undefined }))).to.equal('RangeError')
    const stack =
      'Error: x\n    at node:internal/a:1:2\n    at f (/app/node_modules/b/c.js:3:4)\n    at <anonymous>'
    expect(errorOrigin(Object.assign(new Error('x'), { stack }))).to.equal('Error')
  })

  it('never throws itself, whatever the error is made of', () => {
    const stack = 'Error: x\n    at f (file://host/etl.ts:1:2)'
    const elsewhere = Object.assign(new RangeError('x'), { stack })
    expect(errorOrigin(elsewhere)).to.equal('RangeError at etl.ts:1:2')
    const hostile = new RangeError('x')
    Object.defineProperty(hostile, 'stack', {
      get() {
        throw new Error('secret')
      },
    })
    expect(errorOrigin(hostile)).to.equal('Error')
  })

  it('says so where something else than an error was thrown', () => {
    expect(errorOrigin('secret')).to.equal('a value that is not an Error')
    expect(errorOrigin(undefined)).to.equal('a value that is not an Error')
  })
})
