import { type Duplex, pipeline, type Readable, Transform } from 'node:stream'
import zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import { SourceError } from './source-error.ts'

const GZIP = '\x1f\x8b'
const ZSTD = '\x28\xb5\x2f\xfd'

/** True once `unpack` sees how the bytes are packed. */
export function showsPacking(head: Buffer): boolean {
  return head.length >= ZSTD.length || (head.length > 0 && head[0] !== 0x1f && head[0] !== 0x28)
}

/**
 * Unpacks gzip and Zstandard by their first bytes, whatever the name says. Brotli has no mark: a name that ends in
 * .br says it, if the first bytes agree. Data that end early are an error: what came so far may be half of the rows.
 */
export function unpack(source: Readable, head: Buffer, name: string): Readable {
  const start = head.toString('latin1', 0, ZSTD.length)
  if (start.startsWith(GZIP)) return through(source, zlib.createGunzip(), name, 'gzip')
  if (start === ZSTD) return through(source, createUnzstd(), name, 'Zstandard')
  if (/\.br$/i.test(name) && isBrotli(head)) {
    return through(source, zlib.createBrotliDecompress(), name, 'Brotli')
  }
  return source
}

/** As far as it shows without unpacking: Brotli only by the name. */
export function isPacked(head: Buffer, name: string): boolean {
  const start = head.toString('latin1', 0, ZSTD.length)
  return start.startsWith(GZIP) || start === ZSTD || /\.br$/i.test(name)
}

function isBrotli(head: Buffer): boolean {
  try {
    zlib.brotliDecompressSync(head, { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH })
    return head.length > 0
  } catch {
    return false
  }
}

/**
 * In JavaScript on every Node: the decoder that Node brings from 22.15 on stops after the first frame without a word,
 * and what `zstd` makes of several files, or in parallel, has several.
 */
export function createUnzstd(): Transform {
  const stream = new Transform({
    transform: (chunk: Buffer, _encoding, done) => attempt(() => decompress.push(chunk), done),
    flush: done => attempt(() => decompress.push(new Uint8Array(0), true), done),
  })
  const decompress = new Decompress(bytes => {
    if (bytes.length > 0) stream.push(bytes)
  })
  return stream
}

function attempt(work: () => void, done: (error?: Error) => void): void {
  try {
    work()
  } catch (error) {
    done(error as Error)
    return
  }
  done()
}

/** What decoders say of data that end early: zlib's code, and fzstd's. */
const CUT = /Z_BUF_ERROR|^5$/

function through(source: Readable, decoder: Duplex, name: string, format: string): Readable {
  const checked = new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) })
  decoder.on('error', (error: Error & { code?: string | number }) => {
    const cut = CUT.test(String(error.code))
    const what = cut ? 'ends in the middle (a truncated file?)' : 'is damaged'
    checked.destroy(new SourceError(`${name}: the ${format} data ${what}`, { cause: error }))
  })
  source.on('error', error => checked.destroy(error))
  pipeline(source, decoder, checked, () => {}) // `checked` carries every error on
  return checked
}
