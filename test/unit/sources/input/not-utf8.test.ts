import { expect } from 'chai'
import iconv from 'iconv-lite'
import { notUtf8 } from '../../../../lib/sources/input/not-utf8.ts'

describe('notUtf8', () => {
  const texts: [encoding: string, text: string][] = [
    ['windows-1252', 'café'],
    ['windows-1251', 'Привет'],
    ['Shift_JIS', '日本語'],
    ['GB18030', '中文'],
  ]
  for (const [encoding, text] of texts) {
    it(`shows the text in ${encoding} among others, in its example alone`, () => {
      const bytes = Buffer.concat([
        Buffer.from('id,nämé\n1,"'),
        iconv.encode(text, encoding),
        Buffer.from('",2\n'),
      ])
      const error = notUtf8('f.csv', 'line 2 is not valid UTF-8', bytes)
      expect(error.message).to.equal(
        'f.csv: line 2 is not valid UTF-8; find out how it is encoded, and name that with --encoding',
      )
      expect(error.example).to.match(/^its text could be, in \S+: .*; in \S+: /)
      expect(error.example).to.contain(`in ${encoding}: ${text}`)
    })
  }

  it('shows nothing that no encoding has, and at most a few words', () => {
    const all = Buffer.from('\x81\x8d\x8f\x90\x9d'.repeat(1000), 'latin1')
    expect(notUtf8('f.csv', 'x', all).example?.length ?? 0).to.be.below(300)
    expect(notUtf8('f.csv', 'x').example).to.equal(undefined)
  })
})
