import * as zlib from 'node:zlib'
import type { CompressionCodec } from 'hyparquet'
import type { Compressors } from 'hyparquet-compressors'

export type { Compressors }

type Decompressor = NonNullable<Compressors['ZSTD']>

/** Node.js has it from version 22.15 on. */
const { zstdDecompressSync } = zlib as {
  zstdDecompressSync?: (input: Uint8Array, options: { maxOutputLength: number }) => Buffer
}

const nodeUnzstd: Decompressor = (input, length) =>
  zstdDecompressSync!(input, { maxOutputLength: Math.max(1, length) })

/** A larger page has memory of its own, because the memory of WebAssembly never becomes smaller. */
const MAX_WASM_BYTES = 32 << 20

/**
 * Loads a decompressor for each codec of Parquet except LZO. Node's own ones are faster, and replace the
 * package's. Where Node.js has none for Zstandard, WebAssembly is faster than the package's.
 * @param codecs those of the file
 */
export async function loadDecompressors(codecs: ReadonlySet<CompressionCodec>): Promise<Compressors> {
  const { compressors } = await import('hyparquet-compressors')
  return {
    ...compressors,
    GZIP: (input, length) => zlib.gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
    BROTLI: (input, length) => zlib.brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
    ...(codecs.has('ZSTD') && {
      ZSTD: zstdDecompressSync ? nodeUnzstd : await loadUnzstd(compressors.ZSTD!),
    }),
  }
}

/**
 * Loads the decompressor of Zstandard for versions of Node.js without one.
 * @param larger for pages that are too large for WebAssembly
 */
export async function loadUnzstd(larger: Decompressor): Promise<Decompressor> {
  const { loadUnpackFrames } = await import('../unpack/zstd-decoder.ts')
  const unpack = await loadUnpackFrames()
  return (input, length) =>
    input.length + length > MAX_WASM_BYTES ? larger(input, length) : unpack(input, length)
}
