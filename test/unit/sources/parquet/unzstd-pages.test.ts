import { expect } from 'chai'
import { loadUnzstd } from '../../../../lib/sources/parquet/decompress.ts'

const HELLO = Buffer.from('KLUv/SAGMQAAaGVsbG8K', 'base64') // printf 'hello\n' > a; zstd --no-check a
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const larger = () => Buffer.from('by the other')

describe("the decompressor of Zstandard for versions of Node.js that don't have one", () => {
  it('unpacks a page, and pages of two frames', async () => {
    const unzstd = await loadUnzstd(larger)
    expect(text(unzstd(HELLO, 6))).to.equal('hello\n')
    expect(text(unzstd(Buffer.concat([HELLO, HELLO]), 12))).to.equal('hello\nhello\n')
  })

  it('leaves pages over 32 MiB to another one', async () => {
    const unzstd = await loadUnzstd(larger)
    expect(text(unzstd(HELLO, 32 << 20))).to.equal('by the other')
  })

  it('throws for pages that are damaged, cut off, or longer than they say', async () => {
    const unzstd = await loadUnzstd(larger)
    for (let length = 1; length < HELLO.length; length++) {
      expect(() => unzstd(HELLO.subarray(0, length), 6)).to.throw(Error)
    }
    expect(() => unzstd(HELLO, 5)).to.throw('zstd: error')
    expect(() => unzstd(Buffer.from('no Zstandard'), 6)).to.throw('zstd: error')
    expect(text(unzstd(HELLO, 6))).to.equal('hello\n')
  })
})
