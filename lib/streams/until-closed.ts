import type { Writable } from 'node:stream'

/**
 * Resolves when a stream that was ended or destroyed is closed, so that its counts are final. `pipeline()`
 * does not wait for that if another of its streams fails.
 */
export async function untilClosed(stream: Writable): Promise<void> {
  if (!stream.closed) await new Promise<void>(resolve => stream.once('close', resolve))
}
