import { Transform, type TransformCallback } from 'node:stream'

const PIECE_BYTES = 64 * 1024

/**
 * Joins a writer's small chunks to pieces. No peer's document has it; but each chunk costs pg-copy-streams
 * two writes to the socket, so that this is the first thing to do for who measures.
 */
export class Joined extends Transform {
  #chunks: Buffer[] = []
  #bytes = 0

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes >= PIECE_BYTES) this.#push()
    callback()
  }

  override _flush(callback: TransformCallback): void {
    if (this.#bytes > 0) this.#push()
    callback()
  }

  #push(): void {
    this.push(Buffer.concat(this.#chunks))
    this.#chunks = []
    this.#bytes = 0
  }
}
