import { Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { Gunzip } from '../../../../lib/sources/unpack/gunzip.ts'
import { unpack } from '../../../../lib/sources/unpack/unpack.ts'
import { failure, slices } from '../support.ts'

const GARBAGE =
  'a.csv: the gzip data has other bytes after its end, which gzip -dc would ignore with a warning'
const DAMAGED = 'a.csv: the gzip data is damaged'
const CUT = 'a.csv: the gzip data ends in the middle (a truncated file?)'
const ONE = gzipSync('a\n1\n')
const TWO = gzipSync('2\n')
const NONE = gzipSync('')
const STEPS = [1, 2, 7, 20, 512, 1 << 20]

function unpacked(packed: Buffer, step: number): Promise<Buffer> {
  const source = Readable.from(slices(packed, step), { objectMode: false })
  return buffer(unpack(source, packed.subarray(0, 65_536), 'a.csv'))
}

/** A member with all that a header may have. */
function member(content: Buffer, { extra = false, name = false, comment = false, checked = false }): Buffer {
  const flags = (checked ? 2 : 0) | (extra ? 4 : 0) | (name ? 8 : 0) | (comment ? 16 : 0)
  const header = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]),
    ...(extra ? [Buffer.from([6, 0, 0x42, 0x43, 2, 0, 0, 0])] : []),
    ...(name ? [Buffer.from('näme.csv\0')] : []),
    ...(comment ? [Buffer.from('\0')] : []),
  ])
  const checksum = Buffer.alloc(2)
  checksum.writeUInt16LE(crc32(header) & 0xffff)
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(content), 0)
  trailer.writeUInt32LE(content.length, 4)
  return Buffer.concat([header, ...(checked ? [checksum] : []), deflateRawSync(content), trailer])
}

describe('Gunzip', () => {
  const whole: [title: string, parts: Buffer[], text: string][] = [
    ['members one after the other', [ONE, TWO, TWO], 'a\n1\n2\n2\n'],
    ['members without content', [NONE, ONE, NONE, NONE, TWO, NONE], 'a\n1\n2\n'],
    ['nothing but a member without content', [NONE], ''],
    ['a zero at the end', [ONE, Buffer.alloc(1)], 'a\n1\n'],
    ['a padding of zeros at the end', [ONE, TWO, Buffer.alloc(100_000)], 'a\n1\n2\n'],
  ]
  for (const [title, parts, text] of whole) {
    it(`reads ${title}, as gzip -dc does, wherever chunks end`, async () => {
      for (const step of STEPS) expect(String(await unpacked(Buffer.concat(parts), step))).to.equal(text)
    })
  }

  it('gives small members as pieces that keep little memory', async () => {
    const pieces: Buffer[] = []
    const packed = Buffer.concat(Array.from({ length: 100 }, (_, index) => gzipSync(`${index}\n`)))
    for await (const piece of Readable.from([packed], { objectMode: false }).pipe(new Gunzip())) {
      pieces.push(piece)
    }
    expect(pieces).to.have.length(100)
    const kept = new Set(pieces.map(piece => piece.buffer))
    expect([...kept].reduce((sum, { byteLength }) => sum + byteLength, 0)).to.be.below(1 << 20)
  })

  const broken: [title: string, parts: Buffer[], message: string][] = [
    ['a member after zeros', [ONE, Buffer.alloc(512), TWO], GARBAGE],
    ['text after the last member', [ONE, Buffer.from('2\n')], GARBAGE],
    ['text after zeros', [ONE, Buffer.alloc(3), Buffer.from('x')], GARBAGE],
    ['half of a header', [ONE, TWO.subarray(0, 5)], CUT],
    ['one byte of a header', [ONE, TWO.subarray(0, 1)], CUT],
    ['a member that ends early', [ONE, TWO.subarray(0, -9)], CUT],
    ['a trailer that ends early', [ONE, TWO.subarray(0, -1)], CUT],
    ['bytes that only begin like a member', [ONE, Buffer.from('\x1fabcdefghijk')], DAMAGED],
    ['another method than deflate', [ONE, Buffer.from([0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 3, 0])], DAMAGED],
    ['flags that nothing is known of', [ONE, Buffer.from([0x1f, 0x8b, 8, 64, 0, 0, 0, 0, 0, 3, 0])], DAMAGED],
  ]
  for (const [title, parts, message] of broken) {
    it(`fails on ${title}, and never ends as if all were read`, async () => {
      for (const step of STEPS) {
        const packed = Buffer.concat(parts)
        // the header of the first member is there when the bytes are known to be gzip
        expect(await failure(unpacked(packed, step)), `in steps of ${step}`).to.equal(message)
      }
    })
  }

  it('reads headers with extra fields, names, comments and checksums', async () => {
    const content = Buffer.from('b\n'.repeat(100))
    for (let options = 0; options < 16; options++) {
      const [extra, name, comment, checked] = [1, 2, 4, 8].map(bit => (options & bit) > 0)
      const packed = member(content, { extra: extra!, name: name!, comment: comment!, checked: checked! })
      for (const step of [1, 3, 1000]) {
        expect((await unpacked(Buffer.concat([packed, packed]), step)).length).to.equal(400)
      }
    }
  })

  it('fails on a header whose checksum does not match', async () => {
    const packed = member(Buffer.from('x'), { name: true, checked: true })
    packed[12]! ^= 1
    expect(await failure(unpacked(packed, 3))).to.equal(DAMAGED)
  })

  it('fails when any one bit of the data, of the checksum or of the length is another', async () => {
    for (let bit = 10 * 8; bit < TWO.length * 8; bit++) {
      const flipped = Buffer.from(TWO)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const result = await unpacked(Buffer.concat([ONE, flipped, TWO]), 1000).catch(error => error.message)
      // a few bits after the data's end mean nothing
      if (!Buffer.isBuffer(result)) expect(result).to.match(/is damaged|ends in the middle|has other bytes/)
      else expect(String(result)).to.equal('a\n1\n2\n2\n')
    }
  })

  it('holds back no more than a little of what a small file unpacks to', async () => {
    const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    const gunzip = new Gunzip()
    let most = 0
    let read = 0
    await pipeline(
      Readable.from(slices(packed, 1 << 20)),
      gunzip,
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          read += chunk.length
          most = Math.max(most, gunzip.readableLength)
          setImmediate(done)
        },
      }),
    )
    expect(read).to.equal(64 * 1024 * 1024)
    expect(most).to.be.below(1024 * 1024)
  })
})
