import type { PgBatchError } from '../errors.ts'
import type { RecordStream } from './consumer/consumer-like.ts'

/** What has to be done before reading continues, noted while another state lasts. */
export interface Next {
  /** The group has to be asked for partitions again. */
  readonly rejoin: boolean
  /** PostgreSQL has forgotten commits: everything that was read is read again. */
  readonly regression: PgBatchError | undefined
}

/** What a KafkaToPg is doing. The diagram is above that class. */
export type State =
  | { readonly kind: 'joining' | 'seeking'; next: Next }
  | { readonly kind: 'reading'; readonly stream: RecordStream; next: Next }
  /** `failure`: why the stream ended, unless partitions moved. */
  | { readonly kind: 'draining'; readonly failure?: Error; next: Next }
  | { readonly kind: 'pausing'; readonly delayMs: number; next: Next }
  | { readonly kind: 'restarting'; readonly regression: PgBatchError; next: Next }
  | { readonly kind: 'closing' }
  | { readonly kind: 'failed'; readonly error: Error }

/** A state after which reading continues. */
export type LiveState = Extract<State, { next: Next }>

export const NOTHING_NEXT: Next = Object.freeze({ rejoin: false, regression: undefined })

/** The state that follows, by what has to be done first. */
export function stateFor({ rejoin, regression }: Next): LiveState {
  if (regression) return { kind: 'restarting', regression, next: { rejoin, regression: undefined } }
  return { kind: rejoin ? 'joining' : 'seeking', next: NOTHING_NEXT }
}
