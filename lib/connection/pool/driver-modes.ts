import type { PgClientLike } from '../pg-types.ts'

/** Properties that only `pg`'s own clients have. */
interface DriverModes {
  /** pg-native's bindings to libpq. */
  native?: unknown
  /** Each query uses the extended protocol and is answered in binary. */
  binary?: boolean
  /** Queries are sent before earlier ones are answered. */
  pipeline?: boolean
}

/**
 * Returns true if the client can run a COPY. pg-native uses libpq, and refuses the submittable objects by
 * which `pg`'s own client runs a COPY.
 */
export function canCopy(client: PgClientLike): boolean {
  return (client as DriverModes).native === undefined
}

/**
 * Returns true if the client is known to run objects of ours in place of a statement's text: one of pg, or of
 * a class that extends it. A client with a `query` of its own is wrapped, and may take text only.
 */
export function takesSubmittables(client: PgClientLike): boolean {
  return canCopy(client) && 'getTypeParser' in client && !Object.hasOwn(client, 'query')
}

/**
 * Switches off the modes of `pg` that a transaction of ours cannot use. Returns a function that restores
 * them. `binary: true` would refuse several statements in one query string; `pipeline: true` refuses COPY.
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
