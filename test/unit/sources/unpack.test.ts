import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { createUnzstd, showsPacking, unpack } from '../../../lib/sources/unpack.ts'
import { failure, slices } from './support.ts'

const text = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i},${Math.sin(i)}\n`).join(''))
const HELLO = Buffer.from('KLUv/QRYMQAAaGVsbG8KU4i9kQ==', 'base64') // printf 'hello\n' | zstd

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

  it('fails on damaged brotli', async () => {
    const packed = Buffer.from(brotliCompressSync(text))
    packed.fill(0xff, 70_000, 70_100)
    expect(await failure(unpacked('a.csv.br', packed))).to.equal('a.csv.br: the Brotli data is damaged')
  })

  it('leaves alone what is not packed, also when its name says so', async () => {
    for (const name of ['a.csv', 'a.csv.gz', 'a.csv.br', 'a.csv.zst']) {
      expect((await unpacked(name, text)).equals(text)).to.equal(true)
    }
    expect((await unpacked('a.br', Buffer.alloc(0))).length).to.equal(0)
  })

  it('waits for no more bytes than it has to', () => {
    expect(showsPacking(Buffer.from('{'))).to.equal(true)
    expect(showsPacking(Buffer.from('\x28\xb5', 'latin1'))).to.equal(false)
  })
})

describe('Zstandard', () => {
  it('is known by its first bytes', async () => {
    expect(String(await unpacked('a.csv', HELLO, 3))).to.equal('hello\n')
    expect(String(await unpacked('a.csv', Buffer.concat([HELLO, HELLO]), 5))).to.equal('hello\nhello\n')
  })

  for (let length = 4; length < HELLO.length; length++) {
    it(`fails when only ${length} of ${HELLO.length} bytes are there`, async () => {
      const cut = unpacked('a.csv', HELLO.subarray(0, length))
      expect(await failure(cut)).to.equal('a.csv: the Zstandard data ends in the middle (a truncated file?)')
    })
  }

  it('fails on what follows it and is not Zstandard', async () => {
    const junk = Buffer.concat([HELLO, Buffer.from('this is something else')])
    expect(await failure(unpacked('a.csv', junk))).to.equal('a.csv: the Zstandard data is damaged')
  })

  it('is unpacked in JavaScript over many blocks, however it comes in pieces', async () => {
    // 200,000 lines of i % 100, by zstd -3
    const packed = Buffer.from(
      'KLUv/aSg2QgAjAQAJlIhCbDrJEmIcFKYdRsAHgAeANWpT5cevZ0d+nHjxYkPFx68nBz4bdf0LMedQ3OG+WSTSyZ5ZJ' +
        'FDrkwZ5IstrpjiiSWOuDFjiK9bD/XUUkfdmjXURxtdNNFDCx10adJA32xzzTTPLHPMnd9td910zy133L15w3222WWT' +
        'PbbYYdemDfbVVldNAQEAItv+JfmaAkwAAAg3AQD8/zkQAkwAAAgKAQD8/zkQAkwAAAg5AQD8/zkQAk0AAAg5AQCcWR' +
        '0IAcq2P90=',
      'base64',
    )
    const lines = Array.from({ length: 200_000 }, (_, i) => `${i % 100}\n`).join('')
    for (const step of [1, 1000]) {
      const source = Readable.from(slices(packed, step), { objectMode: false })
      expect((await buffer(source.pipe(createUnzstd()))).equals(Buffer.from(lines))).to.equal(true)
    }
  })
})
