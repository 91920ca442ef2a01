import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { Compressors } from 'hyparquet-compressors'

export type { Compressors }

/**
 * Loads a decompressor for each codec of Parquet except LZO. Node's own ones are faster, and replace the
 * package's.
 */
export async function loadDecompressors(): Promise<Compressors> {
  const { compressors } = await import('hyparquet-compressors')
  return {
    ...compressors,
    GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
    BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  }
}
