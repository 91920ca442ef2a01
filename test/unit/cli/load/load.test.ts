import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import type { ExitError } from '../../../../lib/cli/exit-error.ts'
import { load } from '../../../../lib/cli/load/load.ts'
import { testTerminal } from '../../../support/processes/terminal.ts'

describe('load', () => {
  it('does not wait for standard input if a signal came before the start', async () => {
    const silent = new PassThrough()
    const given = { files: ['-'], table: 't', database: 'postgres://127.0.0.1:1/d' }
    const terminal = testTerminal({}, silent)
    const error: ExitError = await load(given, terminal, AbortSignal.abort()).catch(error => error)
    expect(error).to.include({ status: 130, message: 't: interrupted; 0 rows committed' })
    expect(silent.destroyed).to.equal(true)
  })
})
