import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { Compressors } from 'hyparquet-compressors'

export type { Compressors }

/** For each codec of Parquet but LZO; Node's own where it has one, which is faster. Loaded when a file needs them. */
export async function loadDecompressors(): Promise<Compressors> {
  const { compressors } = await import('hyparquet-compressors')
  return {
    ...compressors,
    GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
    BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  }
}
