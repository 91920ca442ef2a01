import type { FaultProxy, Trap } from '../../support/network/proxy.ts'
import type { Direction, WireMessage } from '../../support/network/wire.ts'
import type { Random } from '../../support/random.ts'
import { isUpsert, type LoadMethod, type LoadShape } from '../cases/cases.ts'
import type { Aim, WireStep } from '../cases/fault-kind.ts'

interface Place {
  readonly direction: Direction
  readonly at?: (message: WireMessage) => boolean
}

/**
 * What carries data, what ends it and what answers it; a small upsert is an INSERT, a large one a COPY and a
 * merge.
 */
const COPY = { data: ['CopyData'], end: ['CopyDone'], tag: /^COPY/ }
const INSERT = { data: ['Bind'], end: ['Sync'], tag: /^INSERT/ }
const EITHER = { data: ['CopyData', 'Bind'], end: ['CopyDone', 'Sync'], tag: /^(COPY|INSERT|DELETE)/ }

/** Finds an aim's message in the conversation that each method leads. */
function placeOf(aim: Aim, method: LoadMethod): Place {
  const { data, end, tag } = isUpsert(method) ? EITHER : method === 'insert' ? INSERT : COPY
  switch (aim) {
    case 'anything sent':
      return { direction: 'up' }
    case 'any answer':
      return { direction: 'down' }
    case 'start-up':
      return { direction: 'up', at: ({ name }) => name === 'Startup' || name === 'Password' }
    case 'BEGIN': // alone, or behind the COMMIT of the transaction before
      return sent(/(^|; )BEGIN\b/)
    case 'data':
      return { direction: 'up', at: ({ name }) => data.includes(name) }
    case 'end of data':
      return { direction: 'up', at: ({ name }) => end.includes(name) }
    case 'end of much data':
      return { direction: 'up', at: endOfMuch(data, end) }
    case 'answer to data':
      return answered(tag)
    case 'checkpoint lock':
      return sent(/FOR UPDATE/)
    case 'checkpoint store':
      return sent(/SET position/)
    case 'dead letters':
      return sent(/INSERT INTO "dead_letters/)
    case 'savepoint':
      return sent(/SAVEPOINT/)
    case 'ALTER TABLE':
      return sent(/ALTER TABLE/)
    case 'answer to ALTER TABLE':
      return answered(/^ALTER TABLE/)
    case 'COMMIT':
      return sent(/\bCOMMIT\b/)
    case 'answer to COMMIT':
      return answered(/^COMMIT/)
    case 'answer to the next BEGIN':
      return { direction: 'down', at: afterCommit() }
    case 'ROLLBACK':
      return sent(/^ROLLBACK/)
    case 'question':
      return sent(/^SELECT.*(pg_walfile_name|pg_xact_status)/s)
  }
}

/** Returns what is true for the answer to a BEGIN that has travelled behind COMMIT. */
function afterCommit(): (message: WireMessage) => boolean {
  let last = ''
  return ({ name, text }) => {
    const isNext = name === 'CommandComplete' && text === 'BEGIN' && last === 'COMMIT'
    if (name === 'CommandComplete' || name === 'ReadyForQuery') last = text
    return isNext
  }
}

/** Bytes of data that are much: those of thirty batches of a flood. */
const MUCH_BYTES = 200_000

/** Returns what is true for the end of data once much of it has come since the last end. */
function endOfMuch(data: readonly string[], end: readonly string[]): (message: WireMessage) => boolean {
  let size = 0
  return ({ name, bytes }) => {
    if (data.includes(name)) size += bytes.length
    if (!end.includes(name)) return false
    const isMuch = size >= MUCH_BYTES
    size = 0
    return isMuch
  }
}

const sent = (sql: RegExp): Place => ({
  direction: 'up',
  at: ({ name, text }) => (name === 'Query' || name === 'Parse') && sql.test(text),
})

const answered = (tag: RegExp): Place => ({
  direction: 'down',
  at: ({ name, text }) => name === 'CommandComplete' && tag.test(text),
})

/** Bytes that flow before a cut at any byte: mostly few, so that start-up and BEGIN have their share. */
const MOST_BYTES = 60_000

/** Makes the trap for a step. */
function trapFor(step: WireStep, { method, whole }: LoadShape, random: Random): Trap {
  const place = placeOf(step.at, method)
  const action =
    step.do === 'delay' ? ({ do: 'delay', ms: random.integer(20, 120) } as const) : { do: step.do }
  if (!place.at) return { ...place, afterBytes: Math.floor(MOST_BYTES ** random.next()), action }
  const pass = step.pass === 'none' ? 0 : step.pass === 'all' ? 1 : random.next()
  // a whole load has one of most messages
  const skip = step.at === 'start-up' || whole ? 0 : random.integer(0, 3)
  return { ...place, skip, pass, action }
}

/**
 * What the proxy does for one fault: its steps in a row, each at the first fitting message after the one
 * before.
 */
export async function injectOnWire(
  proxy: FaultProxy,
  steps: readonly WireStep[],
  shape: LoadShape,
  random: Random,
): Promise<void> {
  for (const [place, step] of steps.entries()) {
    const trap = trapFor(step, shape, random)
    // what follows a first step is aimed at its consequence, the very next one
    await proxy.arm(place > 0 ? { ...trap, skip: 0 } : trap)
  }
}
