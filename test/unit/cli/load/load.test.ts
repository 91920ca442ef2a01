import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import type { ExitError } from '../../../../lib/cli/exit-error.ts'
import { load } from '../../../../lib/cli/load/load.ts'

describe('load', () => {
  const { stdin } = Object.getOwnPropertyDescriptors(process)
  afterEach(() => Object.defineProperty(process, 'stdin', stdin))

  it('does not wait for standard input if a signal came before the start', async () => {
    const silent = new PassThrough()
    Object.defineProperty(process, 'stdin', { ...stdin, get: () => silent })
    const given = { files: ['-'], table: 't', database: 'postgres://127.0.0.1:1/d' }
    const output = { result() {}, note() {} }
    const error: ExitError = await load(given, output, AbortSignal.abort()).catch(error => error)
    expect(error).to.include({ status: 130, message: 't: interrupted; 0 rows committed' })
    expect(silent.destroyed).to.equal(true)
  })
})
