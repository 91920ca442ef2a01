import { Transform } from 'node:stream'
import type { SourceRow } from '../sources/rows.ts'

/** Changes or checks each row on its way; `number` counts from 1. What `change` throws fails the stream. */
export function eachRow(change: (row: SourceRow, number: number) => SourceRow): Transform {
  let number = 0
  return new Transform({
    objectMode: true,
    transform(row: SourceRow, _encoding, done) {
      let changed: SourceRow
      try {
        changed = change(row, ++number)
      } catch (error) {
        done(error as Error)
        return
      }
      done(null, changed)
    },
  })
}
