import * as zlib from 'node:zlib'
import type { Compressors } from 'hyparquet-compressors'

export type { Compressors }

/** Node.js has it from version 22.15 on. */
const { zstdDecompressSync } = zlib as {
  zstdDecompressSync?: (input: Uint8Array, options: { maxOutputLength: number }) => Buffer
}

/**
 * Loads a decompressor for each codec of Parquet except LZO. Node's own ones are faster, and replace the
 * package's.
 */
export async function loadDecompressors(): Promise<Compressors> {
  const { compressors } = await import('hyparquet-compressors')
  return {
    ...compressors,
    GZIP: (input, length) => zlib.gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
    BROTLI: (input, length) => zlib.brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
    ...(zstdDecompressSync && {
      ZSTD: (input, length) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
    }),
  }
}
