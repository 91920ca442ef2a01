import { expect } from 'chai'
import {
  loadDecompressors,
  loadUnzstd,
  type PackedChunk,
} from '../../../../lib/sources/parquet/decompress.ts'
import { allocateNew } from '../../../../lib/values/chunk-memory.ts'

const HELLO = Buffer.from('KLUv/SAGMQAAaGVsbG8K', 'base64') // printf 'hello\n' > a; zstd --no-check a
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const load = async (larger?: () => Uint8Array) => {
  const unzstd = await loadUnzstd(larger)
  return (packed: Uint8Array, length: number) => unzstd(packed, length, allocateNew)
}
const larger = () => Buffer.from('by the other')

describe("the decompressor of Zstandard for versions of Node.js that don't have one", () => {
  it('unpacks a page, and pages of two frames', async () => {
    const unzstd = await load(larger)
    expect(text(unzstd(HELLO, 6))).to.equal('hello\n')
    expect(text(unzstd(Buffer.concat([HELLO, HELLO]), 12))).to.equal('hello\nhello\n')
  })

  it('leaves pages over 32 MiB to another one', async () => {
    const unzstd = await load(larger)
    expect(text(unzstd(HELLO, 32 << 20))).to.equal('by the other')
  })

  it('throws for pages that are damaged, cut off, or longer than they say', async () => {
    const unzstd = await load(larger)
    for (let length = 1; length < HELLO.length; length++) {
      expect(() => unzstd(HELLO.subarray(0, length), 6)).to.throw(Error)
    }
    expect(() => unzstd(HELLO, 5)).to.throw('zstd: error')
    expect(() => unzstd(Buffer.from('no Zstandard'), 6)).to.throw('zstd: error')
    expect(text(unzstd(HELLO, 6))).to.equal('hello\n')
  })
})

describe('the decompressors of a Parquet file', () => {
  const chunkOf = (codec: PackedChunk['codec'], bytes = 1000): PackedChunk => ({
    codec,
    total_compressed_size: 100n,
    total_uncompressed_size: BigInt(bytes),
  })

  it('are those of Node.js and of WebAssembly, and of the package where these do not suffice', async () => {
    const namesFor = async (...chunks: PackedChunk[]) =>
      Object.keys((await loadDecompressors(chunks))(allocateNew))
    const ofNode = await namesFor(chunkOf('UNCOMPRESSED'), chunkOf('GZIP'), chunkOf('BROTLI'))
    expect(ofNode).to.include.members(['GZIP', 'BROTLI']).and.not.include('SNAPPY')
    expect(await namesFor(chunkOf('ZSTD')))
      .to.include('ZSTD')
      .and.not.include('SNAPPY')
    expect(await namesFor(chunkOf('GZIP'), chunkOf('SNAPPY'))).to.include.members(['GZIP', 'SNAPPY'])
    const hasOwnZstd = ofNode.includes('ZSTD')
    expect((await namesFor(chunkOf('ZSTD', 40 << 20))).includes('SNAPPY')).to.equal(!hasOwnZstd)
  })
})
