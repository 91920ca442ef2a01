import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { compressors } from 'hyparquet-compressors'

/** For each codec of Parquet but LZO; Node's own where it has one, which is faster. */
export const decompressors: typeof compressors = {
  ...compressors,
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
}
