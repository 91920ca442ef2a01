import { Readable } from 'node:stream'
import type { SourceRow } from '../sources/rows.ts'

/** The first rows, up to `limit`; `whole` starts from the first again. `ended`: there are no others. */
export function peekRows(
  source: Readable,
  limit: number,
): Promise<{ head: SourceRow[]; whole: Readable; ended: boolean }> {
  return new Promise((resolve, reject) => {
    const head: SourceRow[] = []
    const onReadable = () => {
      while (head.length < limit) {
        const row = source.read() as SourceRow | null
        if (row === null) return
        head.push(row)
      }
      settle()
      for (const row of head.toReversed()) source.unshift(row)
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
