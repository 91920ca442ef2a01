import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { expect } from 'chai'
import fc from 'fast-check'
import iconv from 'iconv-lite'
import { toUtf8 } from '../../../../lib/sources/input/encoding.ts'
import { otherEncoding } from '../../../../lib/sources/input/other-encoding.ts'
import { slices } from '../support.ts'

describe('otherEncoding', () => {
  const encodings = [
    'shift_jis',
    'euc-jp',
    'gbk',
    'gb18030',
    'big5',
    'big5-hkscs',
    'euc-kr',
    'utf-32le',
    'utf-32be',
    'koi8-u',
    'cp437',
  ]
  for (const encoding of encodings) {
    it(`reads the same text of ${encoding} wherever chunks end`, async () => {
      const unit = fc.constantFrom(
        'a',
        ',',
        '\n',
        '0',
        'é',
        'д',
        'あ',
        '中',
        '文',
        '한',
        '\u{20000}',
        '\u{20021}',
        'Ê',
      )
      const texts = fc
        .string({ unit, maxLength: 30 })
        .map(text => iconv.decode(iconv.encode(text, encoding), encoding))
      let read = 0
      await fc.assert(
        fc.asyncProperty(texts, fc.integer({ min: 1, max: 9 }), async (content, step) => {
          const known = content.replaceAll('\ufffd', '').replaceAll('?', '')
          const bytes = iconv.encode(known, encoding)
          const source = Readable.from(slices(bytes, step), { objectMode: false })
          expect(await text(source.pipe(otherEncoding('f.csv', encoding)))).to.equal(known)
          read += known.length
        }),
        { numRuns: 200 },
      )
      expect(read).to.be.above(200)
    })
  }

  it('reads the same of ISO-2022-JP with invalid bytes wherever chunks end', async () => {
    const parts = fc.constantFrom(
      '\x1b$B',
      '\x1b(B',
      '\x1b(J',
      '\x1b',
      '$3',
      '""',
      '\n',
      '\r\n',
      'a',
      '\\',
      '\xff',
    )
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: parts }), fc.integer({ min: 1, max: 9 }), async (content, step) => {
        const read = async (size: number) => {
          const pieces = Readable.from(slices(Buffer.from(content, 'latin1'), size), { objectMode: false })
          return buffer(pieces.pipe(toUtf8('f.csv', 'iso-2022-jp', true)))
        }
        const whole = await read(1000)
        expect(await read(step)).to.deep.equal(whole)
        const feeds = (text: string) => text.split('\n').length
        expect(feeds(whole.toString('latin1'))).to.equal(feeds(content))
      }),
      { numRuns: 300 },
    )
  })
})
