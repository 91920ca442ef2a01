import { expect } from 'chai'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import {
  askOutcome,
  confirmDurability,
  StandbyError,
} from '../../../../lib/connection/transaction/outcome.ts'
import { ServerWatch } from '../../../../lib/connection/transaction/server-watch.ts'
import type { TransactionTicket } from '../../../../lib/connection/transaction/ticket.ts'
import { rejectionOf } from '../../../support/writing.ts'

const ticket: TransactionTicket = {
  xid: '800',
  backend: '77',
  major: '18',
  timeline: '00000002',
  at: '1700000000.5',
  flushed: '0/100',
  isReadCommitted: true,
  timeoutMs: 1000,
  idleTimeoutMs: 1000,
  receivedAt: 0,
}

/** The connection was lost while COMMIT was under way. */
function watch(): ServerWatch {
  const now = performance.now()
  const watch = new ServerWatch(now - 200, now - 100)
  watch.lost(now - 50)
  return watch
}

/** A server that answers each question by the first pattern that fits. */
function serverWith(answers: readonly [RegExp, Record<string, unknown> | Error][]) {
  const asked: string[] = []
  const query = async (text: string) => {
    asked.push(text)
    const [, answer] = answers.find(([pattern]) => pattern.test(text)) ?? [undefined, {}]
    if (answer instanceof Error) throw answer
    return { rows: [answer], rowCount: 1 }
  }
  return { client: { query, release() {} } as unknown as PgClientLike, asked }
}
const serverError = (code: string) => Object.assign(new Error('words'), { code, severity: 'ERROR' })

describe('askOutcome', () => {
  for (const [what, timeline] of [
    ['a standby', null],
    ['a primary that was replaced', '00000001'],
  ] as const) {
    it(`does not believe ${what}`, async () => {
      const { client, asked } = serverWith([
        [/pg_is_in_recovery/, { timeline }],
        [/pg_xact_status/, { status: 'aborted' }],
      ])
      expect(await rejectionOf(askOutcome(client, ticket, watch()))).to.be.instanceOf(StandbyError)
      expect(asked).to.have.lengthOf(1)
    })
  }

  it('ends a backend only while it is idle in its transaction', async () => {
    const { client, asked } = serverWith([
      [/pg_is_in_recovery/, { timeline: ticket.timeline }],
      [/pg_xact_status/, { status: 'in progress' }],
    ])
    expect(await askOutcome(client, ticket, watch())).to.equal('in-progress')
    const ended = asked.filter(text => text.includes('pg_terminate_backend'))
    expect(ended).to.have.lengthOf(1)
    expect(ended[0]).to.include("state LIKE 'idle in transaction%'")
  })

  const PROMOTED: readonly [status: unknown, times: Record<string, unknown>, outcome: string][] = [
    ['committed', { since_ticket: 'true', replayed: 'true', committed_after_ms: '90' }, 'committed'],
    // the former primary may have crashed, and have given the id to another
    ['committed', { since_ticket: 'true', replayed: 'true', committed_after_ms: '2000' }, 'unknown'],
    ['committed', { since_ticket: 'true', replayed: 'false' }, 'rolled-back'],
    ['committed', { since_ticket: 'true', replayed: null }, 'unknown'],
    ['committed', { since_ticket: null, replayed: null }, 'unknown'],
    ['committed', { since_ticket: 'false', replayed: 'true' }, 'unknown'],
    ['aborted', {}, 'rolled-back'],
    ['in progress', {}, 'rolled-back'],
    [null, {}, 'unknown'],
  ]
  for (const [status, times, outcome] of PROMOTED) {
    it(`takes ${status} on a promoted server, with ${JSON.stringify(times)}, as ${outcome}`, async () => {
      const { client, asked } = serverWith([
        [/pg_is_in_recovery/, { timeline: '00000003' }],
        [/pg_xact_status/, { status }],
        [/pg_xact_commit_timestamp/, times],
      ])
      expect(await askOutcome(client, ticket, watch())).to.equal(outcome)
      expect(asked.some(text => text.includes('pg_terminate_backend'))).to.equal(false)
    })
  }
})

describe('askOutcome of a committed id', () => {
  const recovered = {
    crashed: 'true',
    logged: 'true',
    at_rest: 'true',
    recovered_ms_ago: '0',
    committed_after_ms: null,
  }
  const ANSWERS: readonly [
    what: string,
    answer: Record<string, unknown>,
    onlyOne: string,
    outcome: string,
  ][] = [
    ['without a crash', { ...recovered, crashed: 'false' }, 'true', 'committed'],
    ['whose crash has lost it', { ...recovered, logged: 'false' }, 'false', 'rolled-back'],
    [
      'whose statistics were reset during a checkpoint that had begun before',
      { ...recovered, logged: 'false', at_rest: 'false' },
      'false',
      'unknown',
    ],
    ['whose only recovery has read it', recovered, 'true', 'committed'],
    ['after a later checkpoint', recovered, 'false', 'unknown'],
    [
      'that may have been lost by an earlier crash',
      { ...recovered, recovered_ms_ago: '-1000' },
      'true',
      'unknown',
    ],
    ['committed at once', { ...recovered, committed_after_ms: '150' }, 'false', 'committed'],
    ['committed too late', { ...recovered, committed_after_ms: '600' }, 'false', 'unknown'],
  ]
  for (const [what, answer, onlyOne, outcome] of ANSWERS) {
    it(`takes one ${what} as ${outcome}`, async () => {
      const { client } = serverWith([
        [/pg_is_in_recovery/, { timeline: ticket.timeline }],
        [/pg_xact_status/, { status: 'committed' }],
        [/pg_control_checkpoint/, answer],
        [/only_one/, { only_one: onlyOne }],
      ])
      expect(await askOutcome(client, ticket, watch())).to.equal(outcome)
    })
  }
})

describe('confirmDurability', () => {
  it('succeeds where the role lacks the privilege, or the server the function', async () => {
    for (const code of ['42501', '42883'])
      await confirmDurability(serverWith([[/./, serverError(code)]]).client)
  })

  it('throws errors that another attempt may not meet', async () => {
    const error = await rejectionOf(confirmDurability(serverWith([[/./, serverError('57P01')]]).client))
    expect(error).to.include({ code: '57P01' })
  })
})
