import type { Transform, TransformCallback } from 'node:stream'
import { runWork } from '../streams/run-work.ts'
import type { SourceRow } from './rows.ts'

/** Pushes the rows of one chunk. If the iterable throws, the stream fails after the rows before the error. */
export function pushAll(stream: Transform, rows: Iterable<SourceRow>, done: TransformCallback): void {
  runWork(() => {
    for (const row of rows) stream.push(row)
  }, done)
}
