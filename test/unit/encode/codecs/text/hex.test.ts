import { expect } from 'chai'
import { hexOf } from '../../../../../lib/encode/codecs/text/hex.ts'

describe('the hex text of bytes', () => {
  it('is that of bytea', () => {
    expect(hexOf(Buffer.from([0, 1, 0xab, 0xff]))).to.equal('\\x0001abff')
    expect(hexOf(Buffer.alloc(0))).to.equal('\\x')
  })

  it('is refused before a digit is written where no string is that long', () => {
    expect(() => hexOf(Buffer.alloc(3e8))).to.throw(RangeError, '300000000 bytes')
  })
})
