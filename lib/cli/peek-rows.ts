import { Readable } from 'node:stream'
import { lookAhead } from '../sources/look-ahead.ts'
import type { SourceRow } from '../sources/rows.ts'

/** The first rows, up to `limit`; `whole` starts from the first again. `ended`: there are no others. */
export async function peekRows(
  source: Readable,
  limit: number,
): Promise<{ head: SourceRow[]; whole: Readable; ended: boolean }> {
  const head: SourceRow[] = []
  const take = () => {
    for (let row: SourceRow | null; head.length < limit; head.push(row)) {
      row = source.read()
      if (row === null) return false
    }
    return true
  }
  const putBack = () => {
    for (const row of head.toReversed()) source.unshift(row)
  }
  const ended = await lookAhead(source, take, putBack)
  return { head, whole: ended ? Readable.from(head) : source, ended }
}
