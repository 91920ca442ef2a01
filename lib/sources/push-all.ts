import type { Transform, TransformCallback } from 'node:stream'
import { runWork } from '../streams/run-work.ts'
import type { SourceRow } from './rows.ts'

/** Hands on what one chunk held; what the iterable throws fails the stream, after the rows before it. */
export function pushAll(stream: Transform, rows: Iterable<SourceRow>, done: TransformCallback): void {
  runWork(() => {
    for (const row of rows) stream.push(row)
  }, done)
}
