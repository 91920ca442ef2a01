import { ZSTDDecoder } from 'zstddec/stream'
import type { Allocate } from '../../values/chunk-memory.ts'
import { ZstdError } from './zstd-error.ts'

/**
 * The functions of the module, which is zstd's own decoder in WebAssembly. A result from -120 to -1 is an
 * error.
 * @see https://facebook.github.io/zstd/doc/api_manual_latest.html
 */
interface ZstdExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  malloc(bytes: number): number
  free(address: number): void
  ZSTD_createDCtx(): number
  ZSTD_freeDCtx(context: number): number
  ZSTD_decompress(target: number, capacity: number, source: number, length: number): number
  ZSTD_decompressStream(context: number, output: number, input: number): number
}

const MAX_ERROR = 120
/** The largest block, packed or unpacked. */
const BLOCK_BYTES = 128 * 1024
/** An address, a length and a position of 32 bits each: zstd's ZSTD_inBuffer and ZSTD_outBuffer. */
const POINTER_BYTES = 12

let loaded: Promise<ZstdExports> | undefined

/**
 * Loads the module once. Its functions are called directly, because the package's class does not look at
 * their errors, and would run forever on damaged data.
 */
function load(): Promise<ZstdExports> {
  loaded ??= new Promise((resolve, reject) => {
    const decoder = new (class extends ZSTDDecoder {
      override _init(result: { readonly instance: { readonly exports: unknown } }): void {
        super._init(result as never)
        resolve(result.instance.exports as ZstdExports)
      }
    })()
    withoutFetch(() => decoder.init()).catch(reject)
  })
  return loaded
}

/**
 * Calls a function that does not need `fetch`, but would use it to decode base64: Node.js then loads its HTTP
 * client, which takes longer than the module itself.
 */
function withoutFetch<Result>(work: () => Result): Result {
  const { fetch } = globalThis
  globalThis.fetch = undefined as never
  try {
    return work()
  } finally {
    globalThis.fetch = fetch
  }
}

/** Unpacks frames that are in memory, into other memory. The whole of them must become `length` bytes. */
export type UnpackFrames = (packed: Uint8Array, length: number, allocate: Allocate) => Uint8Array

export async function loadUnpackFrames(): Promise<UnpackFrames> {
  const zstd = await load()
  return (packed, length, allocate) => {
    const source = reserve(zstd, packed.length)
    const target = reserve(zstd, length)
    try {
      bytesOf(zstd, source, packed.length).set(packed)
      const written = checked(zstd.ZSTD_decompress(target, length, source, packed.length))
      const unpacked = allocate(written)
      unpacked.set(bytesOf(zstd, target, written))
      return unpacked
    } finally {
      zstd.free(source)
      zstd.free(target)
    }
  }
}

/** Unpacks a frame, part by part, in memory of its own, which `close` frees. */
export class ZstdFrameDecoder {
  readonly #zstd: ZstdExports
  readonly #context: number
  /** ZSTD_inBuffer, ZSTD_outBuffer, and the memory that both refer to. */
  readonly #buffers: number
  #isWhole = false
  #isClosed = false

  static async loader(): Promise<() => ZstdFrameDecoder> {
    const zstd = await load()
    return () => new ZstdFrameDecoder(zstd)
  }

  private constructor(zstd: ZstdExports) {
    this.#zstd = zstd
    this.#context = zstd.ZSTD_createDCtx()
    if (this.#context === 0) throw new RangeError('No memory for a Zstandard decoder')
    this.#buffers = reserve(zstd, 2 * (POINTER_BYTES + BLOCK_BYTES))
  }

  /** True after the last byte of the frame. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /**
   * Takes the next bytes of the frame, which are no more than a block.
   * @param onBytes called with what they unpack to
   * @throws ZstdError for damaged bytes, after which the decoder can only be closed
   */
  push(bytes: Uint8Array, onBytes: (bytes: Buffer) => void): void {
    const zstd = this.#zstd
    const input = this.#buffers
    const output = input + POINTER_BYTES
    const source = output + POINTER_BYTES
    const target = source + BLOCK_BYTES
    bytesOf(zstd, source, bytes.length).set(bytes)
    wordsOf(zstd, input).set([source, bytes.length, 0])
    // a reader may close the decoder while it takes bytes
    for (let hasMore = true; hasMore && !this.#isClosed; ) {
      wordsOf(zstd, output).set([target, BLOCK_BYTES, 0])
      this.#isWhole = checked(zstd.ZSTD_decompressStream(this.#context, output, input)) === 0
      // the memory may have grown: look at it anew
      const [, , written] = wordsOf(zstd, output)
      if (written! > 0) onBytes(Buffer.from(bytesOf(zstd, target, written!)))
      hasMore = written === BLOCK_BYTES || wordsOf(zstd, input)[2]! < bytes.length
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#zstd.ZSTD_freeDCtx(this.#context)
    this.#zstd.free(this.#buffers)
  }
}

function checked(result: number): number {
  if (result < 0 && result >= -MAX_ERROR) throw new ZstdError(-result)
  return result >>> 0
}

function reserve(zstd: ZstdExports, bytes: number): number {
  const address = zstd.malloc(bytes)
  if (address === 0) throw new RangeError(`No memory for ${bytes} bytes`)
  return address
}

function bytesOf(zstd: ZstdExports, address: number, length: number): Uint8Array {
  return new Uint8Array(zstd.memory.buffer, address >>> 0, length)
}

function wordsOf(zstd: ZstdExports, address: number): Uint32Array {
  return new Uint32Array(zstd.memory.buffer, address >>> 0, POINTER_BYTES / 4)
}
