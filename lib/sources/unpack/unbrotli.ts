import { Transform, type TransformCallback } from 'node:stream'
import { UNPACKED_BYTES } from './gunzip.ts'
import { zlib } from './zlib.ts'

/** Why the bytes are not complete Brotli data. The message continues `the Brotli data`. */
export class BrotliFault extends Error {}

/** Unpacks Brotli, and fails on bytes after its end, which Node's decoder silently drops. */
export class Unbrotli extends Transform {
  readonly #decoder = zlib().createBrotliDecompress({ chunkSize: UNPACKED_BYTES })

  constructor() {
    super()
    this.#decoder
      .on('data', (bytes: Buffer) => {
        if (!this.push(bytes)) this.#decoder.pause()
      })
      .on('error', error => this.destroy(error))
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const before = this.#decoder.bytesWritten
    this.#decoder.write(chunk, () => {
      // the decoder reads all of a chunk, unless the data have ended
      const isLeft = this.#decoder.bytesWritten - before < chunk.length
      done(isLeft ? new BrotliFault(GARBAGE) : null)
    })
  }

  override _read(size: number): void {
    this.#decoder.resume()
    super._read(size)
  }

  override _flush(done: TransformCallback): void {
    this.#decoder.once('end', () => done())
    this.#decoder.end()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#decoder.destroy()
    done(error)
  }
}

const GARBAGE = 'has other bytes after its end'
