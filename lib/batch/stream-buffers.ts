import type { Duplex } from 'node:stream'

/**
 * The two buffers that Node.js keeps for a stream. Neither is documented. They exist since Node 0.10 and 14,
 * and nothing else gives access to the items in them, which Node drops silently on destroy. A buffer that
 * does not look as expected is treated as empty. Tests show that it is not, on every version of Node.js that
 * they run on.
 */
interface BufferedStream {
  readonly writableBuffer?: Iterable<{ chunk: unknown } | null>
  readonly _readableState?: { buffer?: unknown; bufferIndex?: number; length?: number }
}

/**
 * Returns the chunks that were pushed and not read, and removes them, so that a later read does not return
 * them too.
 */
export function takeUnread(stream: Duplex): unknown[] {
  const state = (stream as BufferedStream)._readableState
  if (state === undefined || !Array.isArray(state.buffer)) return []
  const unread = state.buffer.slice(state.bufferIndex ?? 0)
  state.buffer = []
  state.bufferIndex = 0
  state.length = 0
  return unread
}

/**
 * Returns the chunks that were written and have not reached `_write`. Node itself fails their callbacks on
 * destroy.
 */
export function unwritten(stream: Duplex): unknown[] {
  const entries = [...((stream as BufferedStream).writableBuffer ?? [])]
  // Node sets an entry to null when it passes the chunk on, before it moves its index
  return entries.filter(entry => entry !== null).map(entry => entry.chunk)
}
