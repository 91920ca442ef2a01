import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { brotliCompressSync, constants, createBrotliCompress, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { showsPacking, unpack } from '../../../../lib/sources/unpack/unpack.ts'
import { peakResidentBytes } from '../../../support/processes/peak-memory.ts'
import { failure, slices } from '../support.ts'

const text = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i},${Math.sin(i)}\n`).join(''))

function unpacked(name: string, packed: Buffer, step = 1000): Promise<Buffer> {
  const source = Readable.from(slices(packed, step), { objectMode: false })
  return buffer(unpack(source, packed.subarray(0, 65_536), name))
}

describe('unpack', () => {
  const kinds: [kind: string, name: string, packed: Buffer][] = [
    ['gzip', 'a.csv', gzipSync(text)],
    ['brotli', 'a.csv.br', brotliCompressSync(text)],
  ]
  for (const [kind, name, packed] of kinds) {
    it(`reads ${kind}, however it comes in pieces`, async () => {
      for (const step of [100, 1 << 20]) {
        expect((await unpacked(name, packed, step)).equals(text)).to.equal(true)
      }
    })

    it(`fails on ${kind} that is cut off, wherever`, async () => {
      for (const length of [20, 1000, packed.length >> 1, packed.length - 1]) {
        const cut = unpacked(name, packed.subarray(0, length))
        expect(await failure(cut)).to.match(/ends in the middle \(a truncated file\?\)/)
      }
    })
  }

  it('recognises brotli without unpacking all of its first bytes, which may be a gigabyte', async () => {
    const packing = createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })
    const zeros = Buffer.alloc(1024 * 1024)
    const packed = await buffer(Readable.from(Array.from({ length: 256 }, () => zeros)).pipe(packing))
    const before = peakResidentBytes()
    unpack(Readable.from([]), packed, 'a.csv.br').destroy()
    expect(packed.length).to.be.below(65_536)
    expect(peakResidentBytes() - before).to.be.below(64 * 1024 * 1024)
  })

  it('fails on damaged brotli', async () => {
    const packed = Buffer.from(brotliCompressSync(text))
    packed.fill(0xff, 70_000, 70_100)
    expect(await failure(unpacked('a.csv.br', packed))).to.equal('a.csv.br: the Brotli data is damaged')
  })

  it('fails on bytes after Brotli data, which the decoder would silently drop', async () => {
    const packed = brotliCompressSync(text)
    for (const rest of [Buffer.from('x'), packed, Buffer.alloc(512)]) {
      for (const step of [1000, packed.length, 1 << 20]) {
        expect(await failure(unpacked('a.csv.br', Buffer.concat([packed, rest]), step))).to.equal(
          'a.csv.br: the Brotli data has other bytes after its end',
        )
      }
    }
  })

  it('leaves alone what is not packed, also when its name says so', async () => {
    for (const name of ['a.csv', 'a.csv.gz', 'a.csv.br', 'a.csv.zst']) {
      expect((await unpacked(name, text)).equals(text)).to.equal(true)
    }
    expect((await unpacked('a.br', Buffer.alloc(0))).length).to.equal(0)
  })

  it('waits for no more bytes than it has to', () => {
    expect(showsPacking(Buffer.from('{'))).to.equal(true)
    expect(showsPacking(Buffer.from('Q\n'))).to.equal(true)
    for (const start of ['\x28\xb5', '\x51', '\x5f\x2a\x4d']) {
      expect(showsPacking(Buffer.from(start, 'latin1'))).to.equal(false)
    }
  })
})
