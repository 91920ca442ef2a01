import { Readable } from 'node:stream'
import { lookAhead } from './look-ahead.ts'

/**
 * Returns the first rows, up to `limit`. `whole` starts from the first row again. `ended` says that there are
 * no other rows.
 * @param sizeOf how many rows a chunk has, if it is not one row. The last chunk may exceed the limit.
 */
export async function peekRows<Chunk>(
  source: Readable,
  limit: number,
  sizeOf: (chunk: Chunk) => number = () => 1,
): Promise<{ head: Chunk[]; whole: Readable; ended: boolean }> {
  const head: Chunk[] = []
  let size = 0
  const take = () => {
    while (size < limit) {
      const chunk: Chunk | null = source.read()
      if (chunk === null) return false
      head.push(chunk)
      size += sizeOf(chunk)
    }
    return true
  }
  const putBack = () => {
    for (const chunk of head.toReversed()) source.unshift(chunk)
  }
  const ended = await lookAhead(source, take, putBack)
  return { head, whole: ended ? Readable.from(head) : source, ended }
}
