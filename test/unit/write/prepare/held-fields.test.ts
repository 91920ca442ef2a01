import { expect } from 'chai'
import { COPY_HEADER_BYTES } from '../../../../lib/connection/copy-in.ts'
import { numeric } from '../../../../lib/encode/codecs/numbers/numeric.ts'
import { ByteBuffer } from '../../../../lib/encode/wire/byte-buffer.ts'
import { widerType } from '../../../../lib/write/evolve/wider-type.ts'
import { textsHeld } from '../../../../lib/write/prepare/held-fields.ts'

const INT4 = [0, 0, 0, 4, 0, 0, 0, 7]

/** A row of an int4 and the field that `put` appends. */
function heldRow(put: (out: ByteBuffer) => void) {
  const out = new ByteBuffer()
  out.putBytes(new Uint8Array(COPY_HEADER_BYTES))
  out.putInt16(2)
  out.putBytes(Uint8Array.from(INT4))
  put(out)
  return { format: 'binary', pieces: [out.take()], count: 1 } as const
}

describe('textsHeld', () => {
  const NUMBERS = ['0', '1', '-9', '12.5', '0.0001', '-0.00000001', '1e20', '99999999.9999', '1234567890123']
  for (const text of [...NUMBERS, '-1e-30', '123456789.123456789', '1e130', 'NaN']) {
    it(`returns a numeric that needs the same width as ${text}`, () => {
      const held = heldRow(out => numeric.binary!(out, text))
      const wider = (texts: Iterable<string>) =>
        widerType({ type: { builtIn: true, kind: 'base' } as never, sqlType: 'numeric(3,2)' }, texts)
      expect(wider(textsHeld(held, 1, 'numeric'))).to.equal(wider([text]))
    })
  }

  it('returns nothing for integers, which fit their column, and for NULL', () => {
    const held = heldRow(out => out.putInt32(-1))
    expect([...textsHeld(held, 0, 'int4'), ...textsHeld(held, 1, 'varchar')]).to.deep.equal([])
  })

  it('takes bytes of the user that are no numeric for no number', () => {
    const held = heldRow(out => {
      out.putInt32(3)
      out.putBytes(Uint8Array.of(1, 2, 3))
    })
    expect([...textsHeld(held, 1, 'numeric')]).to.deep.equal(['NaN'])
  })
})
