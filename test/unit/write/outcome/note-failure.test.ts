import { expect } from 'chai'
import { createStubInstance } from 'sinon'
import { DeadlineError } from '../../../../lib/connection/deadline-error.ts'
import { NoServer } from '../../../../lib/connection/pool/hosts-pool.ts'
import { UnsuitableServer } from '../../../../lib/connection/pool/session-attrs.ts'
import { StandbyError } from '../../../../lib/connection/transaction/outcome.ts'
import { ServerWatch } from '../../../../lib/connection/transaction/server-watch.ts'
import { noteFailure } from '../../../../lib/write/outcome/note-failure.ts'

const socketError = (code: string) => Object.assign(new Error('message'), { code })
const serverError = (code: string) => Object.assign(socketError(code), { severity: 'FATAL' })
const refused = socketError('ECONNREFUSED')
const cut = new Error('Connection terminated unexpectedly')
const standby = new UnsuitableServer('it is a standby')

/** What a question that fails by `error` shows. */
function shown(error: unknown, isConnected: boolean): string {
  const watch = createStubInstance(ServerWatch)
  noteFailure(watch, error, { askedAt: 1, failedAt: 2, isConnected })
  if (watch.sawDown.called) return `down from ${watch.sawDown.args[0]}`
  return watch.sawUp.called ? `up from ${watch.sawUp.args[0]}` : 'nothing'
}

describe('the failure of a question', () => {
  const FAILURES: readonly [what: string, error: unknown, isConnected: boolean, shows: string][] = [
    ['a refused connection', refused, false, 'down'],
    [
      'a Unix socket that is gone',
      Object.assign(socketError('ENOENT'), { syscall: 'connect' }),
      false,
      'down',
    ],
    ['both addresses of a name refused', new AggregateError([refused, refused]), false, 'down'],
    ['one address silent', new AggregateError([refused, socketError('ETIMEDOUT')]), false, 'nothing'],
    ['a server that starts or recovers', serverError('57P03'), false, 'down'],
    ['a refusing primary and a standby', new NoServer([standby, refused], ''), false, 'down'],
    ['standbys only', new NoServer([standby, standby], ''), false, 'nothing'],
    ['several servers, one cut', new NoServer([refused, cut], ''), false, 'up'],
    ['a connection that was cut before it was a session', cut, false, 'up'],
    ['the same by a reset', socketError('ECONNRESET'), false, 'up'],
    ['a server with too many connections', serverError('53300'), false, 'up'],
    ['a server that ends its sessions', serverError('57P02'), false, 'up'],
    ['a session that was cut', cut, true, 'up'],
    ['a session without an answer', new DeadlineError(1000), true, 'up'],
    ['a connection that does not come', new DeadlineError(1000), false, 'nothing'],
    ['a name that is not found', socketError('ENOTFOUND'), false, 'nothing'],
    ['a session on a standby', new StandbyError(), true, 'nothing'],
  ]
  for (const [what, error, isConnected, shows] of FAILURES) {
    it(`shows ${shows === 'nothing' ? 'nothing of the server' : `that it is ${shows}`}: ${what}`, () => {
      expect(shown(error, isConnected)).to.equal(shows === 'nothing' ? shows : `${shows} from 1,2`)
    })
  }
})
