import type { Writable } from 'node:stream'

/**
 * Resolves when a stream that was ended or destroyed has come to its end, and what it counts is final: `pipeline()` does not
 * wait for that where another of its streams fails.
 */
export async function untilClosed(stream: Writable): Promise<void> {
  if (!stream.closed) await new Promise<void>(resolve => stream.once('close', resolve))
}
