import { open } from 'node:fs/promises'
import { type Duplex, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { FileReader } from '../../lib/sources/input/file-reader.ts'
import { utf8 } from '../../lib/sources/input/utf8.ts'

/** Reads a file in chunks of so many bytes, and hands each table that the reader makes to `take`. */
export async function readInChunks<Table>(
  path: string,
  chunkBytes: number,
  reader: Duplex,
  take: (table: Table) => void,
): Promise<void> {
  const sink = new Writable({
    objectMode: true,
    write(table: Table, _encoding, done) {
      take(table)
      done()
    },
  })
  await pipeline(new FileReader(await open(path), chunkBytes), utf8(), reader, sink)
}
