import { expect } from 'chai'
import { ByteBuffer } from '../../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../../lib/encode/wire/slabs.ts'

describe('ByteBuffer', () => {
  it('grows as far as needed', () => {
    const out = new ByteBuffer(new SlabPool(8).lease())
    out.putInt16(-1)
    out.putInt32(0x01020304)
    out.putBytes(Buffer.alloc(1000, 7))
    out.putUtf8('é€\u{1f600}')
    expect(out.take().toString('hex')).to.equal(`ffff01020304${'07'.repeat(1000)}c3a9e282acf09f9880`)
  })

  it('keeps room for as many bytes as were ever taken at once', () => {
    const out = new ByteBuffer(new SlabPool(1000).lease())
    for (const count of [400, 50, 150, 10, 390, 400]) {
      out.putBytes(Buffer.alloc(count))
      out.take()
      expect(out.bytes.length).to.be.greaterThan(400)
    }
  })

  it('fills slabs as before after a huge value, which has memory of its own', () => {
    const out = new ByteBuffer(new SlabPool(1000).lease())
    out.putBytes(Buffer.alloc(100_000))
    out.take()
    const { buffer } = out.bytes
    for (const count of [100, 100, 100]) {
      out.putBytes(Buffer.alloc(count))
      out.take()
      expect(out.bytes.buffer).to.equal(buffer)
    }
  })

  it('never overwrites bytes that were taken', () => {
    const out = new ByteBuffer(new SlabPool(256).lease())
    const taken: Buffer[] = []
    const copies: Buffer[] = []
    for (let round = 0; round < 50; round++) {
      out.putUtf8(String(round).repeat(round % 40))
      const piece = out.take()
      taken.push(piece)
      copies.push(Buffer.from(piece))
    }
    expect(taken).to.deep.equal(copies)
    expect(new Set(taken.map(piece => piece.buffer)).size, 'slabs are shared').to.be.lessThan(40)
    out.putUtf8('next')
    for (const piece of taken) piece.fill(0xee)
    expect(out.take().toString()).to.equal('next')
  })

  it('does not keep memory that grew for a huge value, even if it was rewound', () => {
    const out = new ByteBuffer(new SlabPool(1024).lease())
    out.putUtf8('small')
    out.reserve(100_000)
    expect(out.take().toString()).to.equal('small')
    expect(out.bytes.buffer.byteLength).to.equal(1024)
  })

  it('rewinds by its length', () => {
    const out = new ByteBuffer(new SlabPool(16).lease())
    out.putUtf8('kept')
    const { length } = out
    out.putUtf8('dropped'.repeat(10))
    out.length = length
    expect(out.take().toString()).to.equal('kept')
  })

  for (const count of [0, 39, 40, 41, 16 * 1024, 16 * 1024 + 1, 300_000]) {
    it(`writes ${count} characters as UTF-8, with U+FFFD for a lone surrogate`, () => {
      for (const tail of ['', 'é', '\ud800', '\u{1f600}', '\udc00x']) {
        const out = new ByteBuffer(new SlabPool(64).lease())
        out.putUtf8('x'.repeat(count) + tail)
        expect(out.take().equals(Buffer.from('x'.repeat(count) + tail))).to.equal(true)
      }
    })
  }
})
