import { type Duplex, pipeline, type Readable, Transform } from 'node:stream'
import { isOutOfAddressSpace, OUT_OF_ADDRESS_SPACE } from '../../wasm/out-of-address-space.ts'
import { SourceError } from '../source-error.ts'
import { Gunzip } from './gunzip.ts'
import { GzipFault } from './gzip-header.ts'
import { BrotliFault, Unbrotli } from './unbrotli.ts'
import { Unzstd } from './unzstd.ts'
import { zlib } from './zlib.ts'
import { beginsZstd, CUT, mayBeginZstd, ZstdFault } from './zstd-frames.ts'

const GZIP = '\x1f\x8b'
/** The length of the longest mark, Zstandard's. */
const SHOWING_BYTES = 4

/** Returns true if the bytes are enough for `unpack` to decide. */
export function showsPacking(head: Buffer): boolean {
  return head.length >= SHOWING_BYTES || (head.length > 0 && head[0] !== 0x1f && !mayBeginZstd(head))
}

/**
 * Unpacks gzip and Zstandard by their first bytes, whatever the name is. Brotli has no mark: it is unpacked
 * if the name ends in .br and the first bytes can be Brotli. Data that end early are an error, since rows are
 * missing.
 */
export function unpack(source: Readable, head: Buffer, name: string): Readable {
  if (isGzip(head)) return through(source, new Gunzip(), name, 'gzip')
  if (beginsZstd(head)) return through(source, new Unzstd(), name, 'Zstandard')
  if (/\.br$/i.test(name) && isBrotli(head)) {
    return through(source, new Unbrotli(), name, 'Brotli')
  }
  return source
}

/** The packings that a name's ending promises. */
const BY_ENDING: Readonly<Record<string, string>> = { gz: 'gzip', zst: 'Zstandard', br: 'Brotli' }

/** Returns the packing that a name promises, such as that of `orders.csv.gz`; undefined for other names. */
export function packingOfName(name: string): string | undefined {
  return BY_ENDING[/\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? '']
}

/** Returns true for packed bytes, without unpacking them. Brotli is recognised only by its name. */
export function isPacked(head: Buffer, name: string): boolean {
  return isGzip(head) || beginsZstd(head) || /\.br$/i.test(name)
}

function isGzip(head: Buffer): boolean {
  return head.toString('latin1', 0, GZIP.length) === GZIP
}

/** A head of a thousand bytes may unpack to a gigabyte: this much of it is enough to recognise Brotli. */
const JUDGED_BYTES = 1024 * 1024

function isBrotli(head: Buffer): boolean {
  try {
    const { brotliDecompressSync, constants } = zlib()
    brotliDecompressSync(head, {
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
      maxOutputLength: JUDGED_BYTES,
    })
    return head.length > 0
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
  }
}

/** Errors whose message continues `the gzip data`. */
const FAULTS = [GzipFault, ZstdFault, BrotliFault]

/** The code of zlib's error for data that end early. */
const ZLIB_CUT = 'Z_BUF_ERROR'

function faultOf(error: Error & { code?: string | number }): string {
  if (FAULTS.some(kind => error instanceof kind)) return error.message
  if (isOutOfAddressSpace(error)) return OUT_OF_ADDRESS_SPACE
  return error.code === ZLIB_CUT ? CUT : 'is damaged'
}

function through(source: Readable, decoder: Duplex, name: string, format: string): Readable {
  const checked = new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) })
  decoder.on('error', (error: Error & { code?: string | number }) => {
    checked.destroy(new SourceError(`${name}: the ${format} data ${faultOf(error)}`, { cause: error }))
  })
  source.on('error', error => checked.destroy(error))
  pipeline(source, decoder, checked, () => {}) // `checked` has every error
  return checked
}
