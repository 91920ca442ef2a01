import { Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import xxhash from 'xxhash-wasm'
import { unpack } from '../../../../lib/sources/unpack/unpack.ts'
import { Unzstd } from '../../../../lib/sources/unpack/unzstd.ts'
import { failure, slices } from '../support.ts'

const HELLO = Buffer.from('KLUv/QRYMQAAaGVsbG8KU4i9kQ==', 'base64') // printf 'hello\n' | zstd
const UNCHECKED = Buffer.from('KLUv/SAGMQAAaGVsbG8K', 'base64') // the same, --no-check, from a file
const DAMAGED = 'a.csv: the Zstandard data is damaged'
const CUT = 'a.csv: the Zstandard data ends in the middle (a truncated file?)'
const { h64Raw } = await xxhash()

function unpacked(packed: Buffer, step = 1000): Promise<Buffer> {
  const source = Readable.from(slices(packed, step), { objectMode: false })
  return buffer(unpack(source, packed.subarray(0, 65_536), 'a.csv'))
}

/** A block that is stored, or with `times` a byte that is repeated. */
function block(content: Buffer, last: boolean, times?: number): Buffer {
  const header = Buffer.alloc(3)
  header.writeUIntLE(((times ?? content.length) << 3) | (times === undefined ? 0 : 2) | (last ? 1 : 0), 0, 3)
  return Buffer.concat([header, content])
}

/** A frame with a window of 128 KiB, of stored blocks, with a checksum and maybe more in its header. */
function frame(blocks: readonly Buffer[], content: Buffer, flags = 0, fields = Buffer.alloc(0)): Buffer {
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32LE(Number(h64Raw(content) & 0xffffffffn))
  const start = Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.from([4 | flags, 0x38]), fields])
  return Buffer.concat([start, ...blocks, checksum])
}

function skippable(content: Buffer, kind = 0x50): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(content.length)
  return Buffer.concat([Buffer.from([kind, 0x2a, 0x4d, 0x18]), size, content])
}

describe('Zstandard', () => {
  it('is known by its first bytes', async () => {
    expect(String(await unpacked(HELLO, 3))).to.equal('hello\n')
    expect(String(await unpacked(UNCHECKED, 3))).to.equal('hello\n')
  })

  it('is read frame by frame, with frames to skip before, between and after them', async () => {
    const nothing = skippable(Buffer.alloc(0), 0x5f)
    const something = skippable(Buffer.alloc(2000, '\x28\xb5\x2f\xfd', 'latin1'))
    const parts = [something, nothing, HELLO, UNCHECKED, nothing, HELLO, something]
    for (const step of [1, 5, 1000]) {
      expect(String(await unpacked(Buffer.concat(parts), step))).to.equal('hello\nhello\nhello\n')
    }
    expect(await failure(unpacked(Buffer.concat([HELLO, something.subarray(0, -1)])))).to.equal(CUT)
  })

  it('may have stored, repeated and empty blocks, and a length in its header', async () => {
    const repeated = Buffer.alloc(1000, 'x')
    const content = Buffer.concat([Buffer.from('abc'), repeated])
    const blocks = [
      block(Buffer.from('abc'), false),
      block(Buffer.alloc(0), false),
      block(Buffer.from('x'), false, 1000),
      block(Buffer.alloc(0), true),
    ]
    const length = Buffer.from([(content.length - 256) & 0xff, (content.length - 256) >> 8])
    for (const step of [1, 7, 4000]) {
      expect((await unpacked(frame(blocks, content), step)).equals(content)).to.equal(true)
      expect((await unpacked(frame(blocks, content, 0x40, length), step)).equals(content)).to.equal(true)
    }
  })

  for (let length = 4; length < HELLO.length; length++) {
    it(`fails when only ${length} of ${HELLO.length} bytes are there`, async () => {
      expect(await failure(unpacked(HELLO.subarray(0, length)))).to.equal(CUT)
    })
  }

  it('fails on what follows it and is not Zstandard', async () => {
    const junk = Buffer.concat([HELLO, Buffer.from('this is something else')])
    expect(await failure(unpacked(junk))).to.equal(DAMAGED)
  })

  it('fails when any one bit of the data, or of its checksum, is another', async () => {
    const start = HELLO.indexOf('hello')
    for (let bit = start * 8; bit < HELLO.length * 8; bit++) {
      const flipped = Buffer.from(HELLO)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const file = Buffer.concat([HELLO, flipped, HELLO])
      expect(await failure(unpacked(file))).to.equal(`${DAMAGED}: a checksum does not match`)
    }
  })

  it('fails when a frame has another length than it says', async () => {
    const content = Buffer.alloc(300, 'a')
    const wrong = frame([block(content, true)], content, 0x40, Buffer.from([45, 0]))
    expect(await failure(unpacked(wrong))).to.equal(DAMAGED)
  })

  it('fails on a block of a reserved type, and on one that is too large', async () => {
    const reserved = block(Buffer.from('abc'), true)
    reserved[0]! |= 6
    expect(await failure(unpacked(frame([reserved], Buffer.alloc(0))))).to.equal(DAMAGED)
    const large = Buffer.alloc(128 * 1024 + 1)
    expect(await failure(unpacked(frame([block(large, true)], large)))).to.equal(DAMAGED)
  })

  it('says that it needs a dictionary', async () => {
    const content = Buffer.from('abc')
    const packed = frame([block(content, true)], content, 1, Buffer.from([7]))
    expect(await failure(unpacked(packed))).to.equal(
      'a.csv: the Zstandard data needs a dictionary; unpack it with zstd -D',
    )
  })

  it('holds no more than a few unread blocks, however much a chunk unpacks to', async () => {
    const size = 128 * 1024
    const blocks = Array.from({ length: 2000 }, (_, i) => block(Buffer.from('x'), i === 1999, size))
    const content = Buffer.alloc(2000 * size, 'x')
    const stream = new Unzstd()
    stream.end(frame(blocks, content))
    while (stream.readableLength === 0) await turn()
    for (let i = 0; i < 10; i++) await turn()
    expect(stream.readableLength).to.equal(size)
    let length = 0
    for await (const bytes of stream) length += bytes.length
    expect(length).to.equal(content.length)
  })

  it('continues with each read, however much one chunk holds, and however slow its reader is', async () => {
    for (const [size, step] of [
      [100_000, 256 * 1024],
      [20_000, 100_000],
      [20_000, 1000],
    ] as const) {
      const content = Buffer.alloc(40 * size, 'x')
      const stored = content.subarray(0, size)
      const blocks = Array.from({ length: 40 }, (_, i) => block(stored, i === 39))
      const source = Readable.from(slices(frame(blocks, content), step), { objectMode: false })
      let length = 0
      const slow = new Writable({
        highWaterMark: 1,
        write(bytes: Buffer, _encoding, done) {
          length += bytes.length
          setImmediate(done)
        },
      })
      await pipeline(unpack(source, HELLO, 'a.csv'), slow)
      expect(length).to.equal(content.length)
    }
  })

  it('is unpacked over many blocks, however it comes in pieces', async () => {
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
      expect((await unpacked(packed, step)).equals(Buffer.from(lines))).to.equal(true)
    }
  })

  it('stops unpacking when its reader destroys it, and unpacks other files afterwards', async () => {
    const content = Buffer.alloc(3 * 128 * 1024, 'x')
    const blocks = [0, 1, 2].map(i => block(Buffer.from('x'), i === 2, 128 * 1024))
    for (let i = 0; i < 50; i++) {
      const stream = new Unzstd()
      stream.on('data', () => stream.destroy())
      stream.end(frame(blocks, content))
      await new Promise(resolve => stream.once('close', resolve))
    }
    expect((await unpacked(frame(blocks, content))).equals(content)).to.equal(true)
  })

  it('unpacks several files at a time, each in memory of its own', async () => {
    const files = ['a', 'b', 'c'].map(letter => {
      const content = Buffer.alloc(300_000, letter)
      const parts = [...slices(content, 60_000)]
      return {
        content,
        packed: frame(
          parts.map((part, at) => block(part, at === parts.length - 1)),
          content,
        ),
      }
    })
    const results = await Promise.all(files.map(({ packed }) => unpacked(packed, 1000)))
    for (const [at, { content }] of files.entries()) expect(results[at]!.equals(content)).to.equal(true)
  })

  const WINDOWS: readonly [title: string, header: string, isTaken: boolean][] = [
    ['1.9 GiB', '00a7', false],
    ['144 MiB', '0089', false],
    ['128 MiB', '0088', true],
    ['a single segment of 3 GiB', 'a0000000c0', false],
  ]
  for (const [title, header, isTaken] of WINDOWS) {
    it(`${isTaken ? 'takes' : 'refuses'} a window of ${title}, as zstd does`, async () => {
      const packed = Buffer.concat([Buffer.from(`28b52ffd${header}`, 'hex'), block(Buffer.from('x'), true)])
      const memory = process.memoryUsage().arrayBuffers
      if (isTaken) expect(String(await unpacked(packed))).to.equal('x')
      else {
        expect(await failure(unpacked(packed))).to.match(
          /needs a window of [\d,]+ MiB, more than 128; unpack it with zstd -dc --long/,
        )
        expect(process.memoryUsage().arrayBuffers - memory).to.be.below(64 * 1024 * 1024)
      }
    })
  }
})
