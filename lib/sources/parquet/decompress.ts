import * as zlib from 'node:zlib'
import type { ColumnMetaData } from 'hyparquet'
import type { Compressors } from 'hyparquet-compressors'
import type { Allocate } from '../../values/chunk-memory.ts'
import type { UnpackFrames } from '../unpack/zstd-decoder.ts'

/** Returns a decompressor for each codec. Those that can unpack into memory of `allocate` do so. */
export type Decompressors = (allocate: Allocate) => Compressors

type Decompressor = NonNullable<Compressors['ZSTD']>

/** Node.js has it from version 22.15 on. */
const { zstdDecompressSync } = zlib as {
  zstdDecompressSync?: (input: Uint8Array, options: { maxOutputLength: number }) => Buffer
}

/** Those of Node.js, which are faster than the package's. */
const OF_NODE: Compressors = {
  GZIP: (input, length) => zlib.gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => zlib.brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  ...(zstdDecompressSync && {
    ZSTD: (input, length) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  }),
}

/** A larger page has memory of its own, because the memory of WebAssembly never becomes smaller. */
const MAX_WASM_BYTES = 32 << 20

/** The pages of a column in a row group. */
export type PackedChunk = Pick<ColumnMetaData, 'codec' | 'total_compressed_size' | 'total_uncompressed_size'>

/**
 * Loads a decompressor for each codec of these chunks, except LZO. The package takes 7 ms to load, and is not
 * needed for the codecs of Node.js. Where Node.js has none for Zstandard, WebAssembly is faster than the
 * package's, which is left with pages that are too large for it.
 */
export async function loadDecompressors(chunks: readonly PackedChunk[]): Promise<Decompressors> {
  const others = chunks.filter(({ codec }) => codec !== 'UNCOMPRESSED' && !Object.hasOwn(OF_NODE, codec))
  const ofZstd = others.filter(({ codec }) => codec === 'ZSTD')
  const needsPackage = others.length > ofZstd.length || ofZstd.some(mayHaveLargePage)
  const ofPackage = needsPackage ? (await import('hyparquet-compressors')).compressors : {}
  const unzstd = ofZstd.length > 0 ? await loadUnzstd(ofPackage.ZSTD) : undefined
  return allocate => ({
    ...ofPackage,
    ...OF_NODE,
    ...(unzstd && { ZSTD: (input, length) => unzstd(input, length, allocate) }),
  })
}

/** A page is within its chunk, which says how large it is with all of its pages. */
function mayHaveLargePage(chunk: PackedChunk): boolean {
  return Number(chunk.total_compressed_size + chunk.total_uncompressed_size) > MAX_WASM_BYTES
}

/**
 * Loads the decompressor of Zstandard for versions of Node.js without one.
 * @param larger for pages that are too large for WebAssembly; undefined: there are none
 */
export async function loadUnzstd(larger: Decompressor | undefined): Promise<UnpackFrames> {
  const { loadUnpackFrames } = await import('../unpack/zstd-decoder.ts')
  const unpack = await loadUnpackFrames()
  return (input, length, allocate) =>
    larger && input.length + length > MAX_WASM_BYTES ? larger(input, length) : unpack(input, length, allocate)
}
