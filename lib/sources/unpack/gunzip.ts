import { once } from 'node:events'
import { Transform, type TransformCallback } from 'node:stream'
import type { InflateRaw } from 'node:zlib'
import { GzipFault, gzipHeaderBytes } from './gzip-header.ts'
import { zlib } from './zlib.ts'
import { CUT } from './zstd-frames.ts'

/** With Node's 16 KiB, each of which is a turn of the event loop, unpacking takes twice the CPU time. */
export const UNPACKED_BYTES = 256 * 1024

/** The CRC32 and the length of a member's data. */
const TRAILER_BYTES = 8
/** The limit of a header. A name or a comment without an end would fill the memory. */
const MAX_HEADER_BYTES = 1024 * 1024

/**
 * Unpacks gzip as `gzip -dc` does: members one after the other, then zeros. Anything else after a member is
 * an error; there `gzip -dc` stops with a warning. Node's own Gunzip silently drops everything after a zero
 * byte.
 *
 *     header ──▶ deflated data ──▶ trailer ──▶ next ──▶ header
 *                                               └─zero─▶ padding, to the end
 */
export class Gunzip extends Transform {
  #state: 'header' | 'data' | 'trailer' | 'next' | 'padding' = 'header'
  /** The start of a header or a trailer that is not complete. */
  #held: Buffer = Buffer.alloc(0)
  #inflate!: InflateRaw
  #checksum = 0
  #length = 0

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#take(chunk).then(() => done(), done)
  }

  override _read(size: number): void {
    if (this.#state === 'data') this.#inflate.resume()
    super._read(size)
  }

  override _flush(done: TransformCallback): void {
    const isWhole = this.#state === 'next' || this.#state === 'padding'
    done(isWhole ? null : new GzipFault(CUT))
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inflate?.destroy()
    done(error)
  }

  async #take(chunk: Buffer): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      rest = this.#state === 'data' ? await this.#unpack(rest) : this.#takeAround(rest)
    }
  }

  /** Reads bytes that are not data. Returns the bytes that follow. */
  #takeAround(bytes: Buffer): Buffer {
    const whole = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    this.#held = Buffer.alloc(0)
    switch (this.#state) {
      case 'header': {
        const length = gzipHeaderBytes(whole)
        if (length === undefined) return this.#hold(whole)
        this.#beginData()
        return whole.subarray(length)
      }
      case 'trailer': {
        if (whole.length < TRAILER_BYTES) return this.#hold(whole)
        this.#check(whole.readUInt32LE(0), whole.readUInt32LE(4))
        this.#state = 'next'
        return whole.subarray(TRAILER_BYTES)
      }
      case 'next':
        this.#state = whole[0] === 0 ? 'padding' : 'header'
        if (whole[0] !== 0 && whole[0] !== 0x1f) throw new GzipFault(GARBAGE)
        return whole
      default:
        if (whole.some(byte => byte !== 0)) throw new GzipFault(GARBAGE)
        return Buffer.alloc(0)
    }
  }

  #hold(bytes: Buffer): Buffer {
    if (bytes.length > MAX_HEADER_BYTES) throw new GzipFault('is damaged')
    this.#held = bytes
    return Buffer.alloc(0)
  }

  #beginData(): void {
    this.#state = 'data'
    this.#checksum = 0
    this.#length = 0
    this.#inflate = zlib().createInflateRaw({ chunkSize: UNPACKED_BYTES })
    this.#inflate.on('data', (bytes: Buffer) => {
      this.#checksum = zlib().crc32(bytes, this.#checksum)
      this.#length = (this.#length + bytes.length) % 2 ** 32
      if (!this.push(compact(bytes))) this.#inflate.pause()
    })
  }

  /** Unpacks to the end of the member's data, which the data mark. Returns the bytes that follow. */
  async #unpack(bytes: Buffer): Promise<Buffer> {
    const inflate = this.#inflate
    const before = inflate.bytesWritten
    await new Promise<void>((resolve, reject) => {
      inflate.once('error', reject)
      inflate.write(bytes, error => {
        inflate.off('error', reject)
        if (error) reject(error)
        else resolve()
      })
    })
    const taken = inflate.bytesWritten - before
    if (taken < bytes.length) {
      if (!inflate.readableEnded) await once(inflate, 'end')
      inflate.destroy()
      this.#state = 'trailer'
    }
    return bytes.subarray(taken)
  }

  #check(checksum: number, length: number): void {
    if (this.#checksum !== checksum || this.#length !== length) {
      throw new GzipFault('is damaged: a checksum does not match')
    }
  }
}

/** Returns a copy of bytes that fill little of their piece: a small member would keep 256 KiB in memory. */
function compact(bytes: Buffer): Buffer {
  return bytes.length < UNPACKED_BYTES / 8 ? Buffer.from(bytes) : bytes
}

const GARBAGE = 'has other bytes after its end, which gzip -dc would ignore with a warning'
