import { expect } from 'chai'
import { COPY_HEADER_BYTES } from '../../../../../lib/connection/copy-in.ts'
import { makeRowEncoder } from '../../../../../lib/encode/row-encoder.ts'
import { SlabPool } from '../../../../../lib/encode/wire/slabs.ts'
import { CopyPieces } from '../../../../../lib/write/send/copy/copy-pieces.ts'

const ROW = Buffer.from('one row')

function begun() {
  const pieces = new CopyPieces(new SlabPool().lease())
  pieces.begin(makeRowEncoder({ columns: [], format: 'binary' }))
  return pieces
}

/** The bytes of a piece after the room for its header. */
const payload = (piece: Buffer | undefined): string => piece!.toString('latin1', COPY_HEADER_BYTES)

describe('CopyPieces', () => {
  it('leaves room for a header at the start of each piece, and puts the signature into the first', () => {
    const pieces = begun()
    pieces.out.putBytes(ROW)
    expect(payload(pieces.take())).to.match(/^PGCOPY\n.*one row$/s)
    pieces.out.putBytes(ROW)
    expect(payload(pieces.take())).to.equal('one row')
  })

  it('takes nothing where there are no bytes', () => {
    const pieces = begun()
    expect(pieces.take()).to.not.equal(undefined)
    expect(pieces.take()).to.equal(undefined)
  })

  it('keeps the rows of a batch without the signature, each piece with room for its own header', () => {
    const pieces = begun()
    pieces.keep()
    pieces.out.putBytes(ROW)
    pieces.take()
    pieces.out.putBytes(Buffer.from('another'))
    pieces.take()
    expect(pieces.takeKept()!.map(payload)).to.deep.equal(['one row', 'another'])
    expect(pieces.takeKept()).to.equal(undefined)
  })

  it('keeps no piece once keeping was stopped', () => {
    const pieces = begun()
    pieces.keep()
    pieces.out.putBytes(ROW)
    pieces.take()
    pieces.stopKeeping()
    pieces.out.putBytes(ROW)
    pieces.take()
    expect(pieces.takeKept()).to.equal(undefined)
  })

  it('counts all bytes except headers, those of another attempt included', () => {
    const pieces = begun()
    pieces.take()
    const before = pieces.bytes
    pieces.out.putBytes(ROW)
    const piece = pieces.take()!
    expect(pieces.bytes).to.equal(before + ROW.length)
    pieces.countAgain(piece)
    expect(pieces.bytes).to.equal(before + 2 * ROW.length)
  })
})
