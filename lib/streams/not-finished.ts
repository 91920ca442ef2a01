import type { Writable } from 'node:stream'

/**
 * Lets `pipeline()` reject where a stream is destroyed after its end and before 'finish'. Node.js takes a
 * stream that has ended and has an empty buffer for finished if it is destroyed without an error, though rows
 * may wait for their COMMIT. Node.js documents no way to say so: an error would crash a program that does not
 * listen for one, and a write that is held back would need a method `end()` of our own.
 * @see https://github.com/nodejs/node/blob/v24.0.0/lib/internal/streams/utils.js isWritableFinished
 */
export function markNotFinished(stream: Writable): void {
  if (!stream.writableEnded || stream.writableFinished) return
  const { _writableState: state } = stream as unknown as { _writableState: { length: number } }
  state.length = Math.max(state.length, 1)
}
