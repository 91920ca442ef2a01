import type { Duplex } from 'node:stream'

/**
 * The two buffers that Node keeps for a stream. Neither is documented, both have been there since Node 0.10 and
 * 14, and there is no other way to the rows in them: on destroy Node drops them without a word. Whatever is not
 * as expected here is taken for empty; tests show, on every Node that we run them on, that it is not.
 */
interface BufferedStream {
  readonly writableBuffer?: Iterable<{ chunk: unknown } | null>
  readonly _readableState?: { buffer?: unknown; bufferIndex?: number; length?: number }
}

/** Takes the chunks that were pushed and not read, so that a read after this cannot hand them out again. */
export function takeUnread(stream: Duplex): unknown[] {
  const state = (stream as BufferedStream)._readableState
  if (state === undefined || !Array.isArray(state.buffer)) return []
  const unread = state.buffer.slice(state.bufferIndex ?? 0)
  state.buffer = []
  state.bufferIndex = 0
  state.length = 0
  return unread
}

/** The chunks that were written and have not reached `_write`. Node itself fails their callbacks on destroy. */
export function unwritten(stream: Duplex): unknown[] {
  const entries = [...((stream as BufferedStream).writableBuffer ?? [])]
  // Node blanks an entry that it has passed on, before it moves its index.
  return entries.filter(entry => entry !== null).map(entry => entry.chunk)
}
