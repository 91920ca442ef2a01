import type { PgClientLike } from '../pg-types.ts'

/** What `pg`'s own clients have beside the methods that are used here; other drivers have none of it. */
interface DriverModes {
  /** pg-native's bindings to libpq. */
  native?: unknown
  /** Each query goes by the extended protocol, and is answered in binary. */
  binary?: boolean
  /** Queries travel before their predecessors are answered. */
  pipeline?: boolean
}

/**
 * Returns whether the client can carry a COPY. pg-native speaks to the server through libpq, and refuses the
 * submittable objects by which `pg`'s own client runs a COPY.
 */
export function canCopy(client: PgClientLike): boolean {
  return (client as DriverModes).native === undefined
}

/**
 * Switches off the modes of `pg` that a transaction of ours cannot use, and returns a function that restores them.
 * `binary: true` would refuse several statements in one query string; `pipeline: true` refuses COPY.
 */
export function usePlainMode(client: PgClientLike): () => void {
  const modes = client as DriverModes
  const { binary, pipeline } = modes
  if (!binary && !pipeline) return () => {}
  if (binary) modes.binary = false
  if (pipeline) modes.pipeline = false
  return () => {
    if (binary) modes.binary = binary
    if (pipeline) modes.pipeline = pipeline
  }
}
