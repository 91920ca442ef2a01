import { Transform, type TransformCallback } from 'node:stream'
import { Decompress } from 'fzstd'
import type { XXHash } from 'xxhash-wasm'
import { runWork } from '../../streams/run-work.ts'
import { ZstdFault, ZstdFrames, type ZstdPart } from './zstd-frames.ts'

/**
 * Unpacks Zstandard, and compares each frame with its checksum and its length, which fzstd does not do. It
 * uses fzstd on every version of Node.js: the decoder of Node.js 22.15 and later silently stops after the
 * first frame, and `zstd` writes several frames for several files, and in parallel. It pauses between blocks,
 * because one chunk may become gigabytes.
 */
export class Unzstd extends Transform {
  readonly #frames = new ZstdFrames()
  #makeHash!: () => XXHash<bigint>
  #decoder!: Decompress
  #hash!: XXHash<bigint>
  /** Bytes that were unpacked from the frame. */
  #length = 0
  #hasRoom = true
  /** The decoder is running. It cannot be called again before it returns. */
  #isTaking = false
  #parts: Iterator<ZstdPart> | undefined
  #done!: TransformCallback

  override _construct(done: TransformCallback): void {
    // loaded only if it is needed
    const loaded = import('xxhash-wasm').then(({ default: load }) => load())
    loaded.then(({ create64 }) => {
      this.#makeHash = () => create64()
      done()
    }, done)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#parts = this.#frames.cut(chunk)
    this.#done = done
    this.#goOn()
  }

  override _read(size: number): void {
    this.#hasRoom = true
    if (this.#isTaking) return
    if (this.#parts) this.#goOn()
    // a chunk may end without output, and `_read` is not called again for it: this requests the next chunk
    if (!this.#parts) super._read(size)
  }

  override _flush(done: TransformCallback): void {
    runWork(() => this.#frames.end(), done)
  }

  /** Unpacks the parts of the chunk while there is room for the output. */
  #goOn(): void {
    let fault: Error | undefined
    try {
      for (let next = this.#parts!.next(); !next.done; next = this.#parts!.next()) {
        this.#isTaking = true
        this.#take(next.value)
        this.#isTaking = false
        if (!this.#hasRoom) return
      }
    } catch (error) {
      fault = error as Error
    }
    this.#isTaking = false
    this.#parts = undefined
    this.#done(fault)
  }

  #take(part: ZstdPart): void {
    if (part.kind === 'bytes') this.#decoder.push(part.bytes)
    else if (part.kind === 'frame') this.#begin()
    else this.#end(part)
  }

  #begin(): void {
    this.#hash = this.#makeHash()
    this.#length = 0
    this.#decoder = new Decompress(bytes => {
      if (bytes.length === 0) return
      this.#hash.update(bytes)
      this.#length += bytes.length
      this.#hasRoom = false
      if (this.push(bytes)) this.#hasRoom = true // `_read` may have set it too
    })
  }

  #end({ checksum, length }: ZstdPart & { kind: 'end' }): void {
    // fzstd waits for the checksum of the frame, and does not compare it
    this.#decoder.push(new Uint8Array(checksum === undefined ? 0 : 4), true)
    if (length !== undefined && length !== this.#length) {
      throw new ZstdFault('is damaged: a frame has another length than it says')
    }
    if (checksum !== undefined && Number(this.#hash.digest() & 0xffffffffn) !== checksum) {
      throw new ZstdFault('is damaged: a checksum does not match')
    }
  }
}
