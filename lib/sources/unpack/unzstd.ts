import { Transform, type TransformCallback } from 'node:stream'
import { runWork } from '../../streams/run-work.ts'
import type { ZstdFrameDecoder } from './zstd-decoder.ts'
import { ZstdError } from './zstd-error.ts'
import { ZstdFault, ZstdFrames, type ZstdPart } from './zstd-frames.ts'

/**
 * Unpacks Zstandard frame by frame. It uses the same decoder on every version of Node.js: the one of Node.js
 * 22.15 and later silently stops after the first frame, and `zstd` writes several frames for several files,
 * and in parallel. It pauses between blocks, because one chunk may become gigabytes.
 */
export class Unzstd extends Transform {
  readonly #frames = new ZstdFrames()
  #makeDecoder!: () => ZstdFrameDecoder
  #decoder: ZstdFrameDecoder | undefined
  #hasRoom = true
  /** The decoder is running. It cannot be called again before it returns. */
  #isTaking = false
  #parts: Iterator<ZstdPart> | undefined
  #done!: TransformCallback

  override _construct(done: TransformCallback): void {
    // loaded only if it is needed
    const loaded = import('./zstd-decoder.ts').then(({ ZstdFrameDecoder }) => ZstdFrameDecoder.loader())
    loaded.then(makeDecoder => {
      this.#makeDecoder = makeDecoder
      done()
    }, done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#close()
    done(error)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#parts = this.#frames.cut(chunk)
    this.#done = done
    this.#unpackParts()
  }

  override _read(size: number): void {
    this.#hasRoom = true
    if (this.#isTaking) return
    if (this.#parts) this.#unpackParts()
    // a chunk may end without output, and `_read` is not called again for it: this requests the next chunk
    if (!this.#parts) super._read(size)
  }

  override _flush(done: TransformCallback): void {
    runWork(() => this.#frames.end(), done)
  }

  /** Unpacks the parts of the chunk while there is room for the output. */
  #unpackParts(): void {
    let fault: Error | undefined
    try {
      for (let next = this.#parts!.next(); !next.done; next = this.#parts!.next()) {
        this.#isTaking = true
        this.#take(next.value)
        this.#isTaking = false
        if (!this.#hasRoom || this.destroyed) return
      }
    } catch (error) {
      fault = faultOf(error as Error)
    }
    this.#isTaking = false
    this.#parts = undefined
    this.#done(fault)
  }

  #take(part: ZstdPart): void {
    if (part.kind === 'bytes') this.#unpack(part.bytes)
    else if (part.kind === 'frame') this.#decoder = this.#makeDecoder()
    else this.#end(part.checksum)
  }

  #unpack(bytes: Buffer): void {
    this.#decoder?.push(bytes, unpacked => {
      this.#hasRoom = false
      if (this.push(unpacked)) this.#hasRoom = true // `_read` may have set it too
    })
  }

  #end(checksum: Buffer | undefined): void {
    if (checksum) this.#unpack(checksum)
    if (!this.#decoder?.isWhole) throw new ZstdFault('is damaged')
    this.#close()
  }

  #close(): void {
    this.#decoder?.close()
    this.#decoder = undefined
  }
}

function faultOf(error: Error): Error {
  const isChecksum = error instanceof ZstdError && error.wrongChecksum
  return isChecksum ? new ZstdFault('is damaged: a checksum does not match', { cause: error }) : error
}
