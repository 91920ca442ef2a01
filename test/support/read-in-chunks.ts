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
  const handle = await open(path)
  const file = new FileReader({ name: path, handle, status: await handle.stat() }, chunkBytes)
  await pipeline(file, utf8(), reader, sink)
}
