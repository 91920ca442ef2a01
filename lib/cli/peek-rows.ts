import { Readable } from 'node:stream'
import type { SourceRow } from '../sources/rows.ts'

/**
 * The first rows, up to `limit`; `whole` starts from the first again. `ended`: there are no others.
 * @param sizeOf how many rows come at a time, where they do not come one by one; then the last few may be above the limit
 */
export function peekRows<Chunk = SourceRow>(
  source: Readable,
  limit: number,
  sizeOf: (chunk: Chunk) => number = () => 1,
): Promise<{ head: Chunk[]; whole: Readable; ended: boolean }> {
  return new Promise((resolve, reject) => {
    const head: Chunk[] = []
    let size = 0
    const onReadable = () => {
      while (size < limit) {
        const chunk = source.read() as Chunk | null
        if (chunk === null) return
        head.push(chunk)
        size += sizeOf(chunk)
      }
      settle()
      for (const chunk of head.toReversed()) source.unshift(chunk)
      resolve({ head, whole: source, ended: false })
    }
    const onEnd = () => {
      settle()
      resolve({ head, whole: Readable.from(head), ended: true })
    }
    const onError = (error: Error) => {
      settle()
      reject(error)
    }
    const settle = () => source.off('readable', onReadable).off('end', onEnd).off('error', onError)
    // between this and the next reader an error may come; it is kept, and told to whoever reads
    source.on('error', () => {})
    source.on('readable', onReadable).on('end', onEnd).on('error', onError)
  })
}
