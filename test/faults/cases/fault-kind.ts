import type { LoadShape } from './cases.ts'

/**
 * The faults, as data: what is broken, where and how. Nothing here breaks anything.
 */

/** A place in the conversation with the server that a wire fault can be aimed at. */
export type Aim =
  | 'anything sent'
  | 'any answer'
  | 'start-up'
  | 'BEGIN'
  | 'data'
  | 'end of data'
  /** Of a transaction that holds tens of a flood's batches. */
  | 'end of much data'
  | 'answer to data'
  | 'checkpoint lock'
  | 'checkpoint store'
  | 'dead letters'
  | 'savepoint'
  | 'ALTER TABLE'
  | 'answer to ALTER TABLE'
  | 'COMMIT'
  | 'answer to COMMIT'
  /** It has travelled behind COMMIT. */
  | 'answer to the next BEGIN'
  | 'ROLLBACK'
  | 'question'

/** One thing that the proxy does. */
export interface WireStep {
  readonly do: 'cut' | 'reset' | 'stall' | 'half-close' | 'delay'
  readonly at: Aim
  /** Which part of the message still passes: none, a random part, all of it. */
  readonly pass: 'none' | 'some' | 'all'
}

export type ServerAct =
  | 'terminate'
  | 'cancel'
  | 'kill backend'
  | 'kill backend after its COMMIT'
  | 'kill server after its COMMIT'
  | 'kill server'
  | 'kill server at COMMIT'
  | 'kill server after COMMIT'
  | ReuseAct
  | 'fast restart'
  | 'immediate restart'
  | 'freeze backend'
  | 'freeze server'

/** Crashes that take a transaction's id along, which others are given then. */
export type ReuseAct = 'reuse the id' | 'reuse the id and crash again' | 'crash twice'

export type StateAct =
  | 'read-only'
  | 'too many connections'
  | 'disk full'
  | 'out of memory'
  | 'refused at COMMIT'
  | 'deadlock'
  | 'serialization'
  | 'lock timeout'

const CRASHES: ReadonlySet<string> = new Set<ServerAct>([
  'kill backend',
  'kill backend after its COMMIT',
  'kill server after its COMMIT',
  'kill server',
  'kill server at COMMIT',
  'kill server after COMMIT',
  'reuse the id',
  'reuse the id and crash again',
  'crash twice',
  'immediate restart',
])

/** Returns true for a kind in which the server crashes, at least now and then. */
export function crashesServer(kind: FaultKind): boolean {
  return kind.by === 'server' && kind.acts.some(act => CRASHES.has(act))
}

/** What happens to a primary, its standby and the way there. */
export type FailoverAct =
  | 'lead to the standby'
  | 'forget the name'
  | 'fail over'
  | 'lose commits and fail over'
  | 'cut the wait short and fail over'

/** How a load reaches the primary: at one address, at the first that suits of two, or by a name. */
export type Route = 'address' | 'two hosts' | 'name'

export type PoolerAct = 'restart' | 'kill' | 'pause' | 'suspend'

/** How an `inTransaction` misbehaves; `hidden`: past what its client does to transaction control. */
export type CallbackAct =
  | 'ROLLBACK'
  | 'COMMIT'
  | 'hidden ROLLBACK'
  | 'hidden COMMIT'
  | 'procedure that commits'
  | 'failure ignored'
  | 'COPY left open'
  | 'waits for its own pool'
  | 'never ends'
  | 'backend terminated'

/** What a kind's cases need beyond the usual. */
export interface Needs {
  /** Only with rows that are to be rejected. */
  readonly badRows?: boolean
  readonly method?: LoadShape['method']
  readonly checkpoint?: boolean
  readonly concurrency?: 1
  readonly ownPool?: boolean
  readonly retries?: LoadShape['retries']
  readonly pace?: LoadShape['pace']
  /** `inTransaction` updates rows that others want to have, too. */
  readonly sideEffects?: boolean
  /** Server settings of the loader's sessions. */
  readonly settings?: string
  /** A second loader writes the same rows under the same checkpoint name, at the same time. */
  readonly rival?: boolean
  /** Rows bring new keys, and later wider values, so that the stream changes the table. */
  readonly evolves?: boolean
  /** All rows come in one transaction: as they are, or in place of the old ones. */
  readonly whole?: readonly ('single' | 'replace')[]
  /** Long enough not to come between. */
  readonly timeoutMs?: number
  /** Without a checkpoint a stream may fail because the outcome of a COMMIT cannot be found. */
  readonly mayStayUnknown?: boolean
}

export type FaultKind = { readonly name: string; readonly faultsPerCase: number; readonly needs?: Needs } & (
  | { readonly by: 'proxy'; readonly steps: readonly (readonly WireStep[])[] }
  | { readonly by: 'server'; readonly acts: readonly ServerAct[] }
  | { readonly by: 'state'; readonly act: StateAct }
  | { readonly by: 'process' }
  | { readonly by: 'cuts' }
  | { readonly by: 'pooler'; readonly acts: readonly PoolerAct[] }
  | { readonly by: 'callback'; readonly acts: readonly CallbackAct[] }
  | {
      readonly by: 'failover'
      readonly replication: 'asynchronous' | 'synchronous'
      readonly route: Route
      /** One after the other: each is one fault. */
      readonly acts: readonly FailoverAct[]
      /** Who loads. @default 'library' */
      readonly loader?: 'library' | 'command'
    }
)
