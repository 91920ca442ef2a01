import type { Transform } from 'node:stream'
import type { SourceRow } from './rows.ts'

/** Hands on what one chunk held; what the iterable throws fails the stream, after the rows before it. */
export function pushAll(stream: Transform, rows: Iterable<SourceRow>, done: (error?: Error) => void): void {
  try {
    for (const row of rows) stream.push(row)
  } catch (error) {
    done(error as Error)
    return
  }
  done()
}
