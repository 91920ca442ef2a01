import { Transform } from 'node:stream'
import type { SourceRow } from '../../sources/rows.ts'
import { runWork } from '../../streams/run-work.ts'

/** Changes or checks each row. `number` counts from 1. An error thrown by `change` destroys the stream. */
export function eachRow(change: (row: SourceRow, number: number) => SourceRow): Transform {
  let number = 0
  return new Transform({
    objectMode: true,
    transform: (row: SourceRow, _encoding, done) => runWork(() => change(row, ++number), done),
  })
}
