import { Readable } from 'node:stream'
import { expect } from 'chai'
import iconv from 'iconv-lite'
import { type Encoding, encodingOf } from '../../../../lib/sources/input/encoding.ts'
import { openSource, type SourceOptions } from '../../../../lib/sources/open-source.ts'
import { useFolder } from '../../../support/folder.ts'
import { failure, slices } from '../support.ts'

describe('openSource reads encodings:', () => {
  const file = useFolder()

  async function rowsOf(path: string, options?: SourceOptions) {
    const { rows, ...source } = await openSource(path, options)
    return { ...source, rows: (await rows.toArray()) as unknown[] }
  }

  const stdin = (text: string | Buffer, step = 1) => ({
    stdin: Readable.from(slices(Buffer.from(text as string), step), { objectMode: false }),
  })

  const text = 'näme,b\n"é€",𝄞\n'
  const rows = [{ näme: 'é€', b: '𝄞' }]
  const utf16 = (content: string) => Buffer.from(content, 'utf16le')
  const swapped = (content: string) => utf16(content).swap16()

  for (const [encoding, encode] of [
    ['UTF-16LE', utf16],
    ['UTF-16BE', swapped],
  ] as const) {
    it(`${encoding} by its byte order mark, which is said`, async () => {
      for (const step of [1, 3, 1000]) {
        const source = await rowsOf('-', stdin(encode(`\ufeff${text}`), step))
        expect(source).to.deep.include({
          rows,
          notes: [`standard input: read as ${encoding}, as its byte order mark says`],
        })
      }
    })

    it(`${encoding} by its name, with a mark or without`, async () => {
      const named = encoding.toLowerCase() as Encoding
      for (const content of [text, `\ufeff${text}`]) {
        const source = await rowsOf('-', { ...stdin(encode(content), 3), encoding: named })
        expect(source).to.deep.include({ rows, notes: [] })
      }
    })
  }

  it('utf-16 only with a mark', async () => {
    const marked = await rowsOf('-', { ...stdin(swapped(`\ufeff${text}`)), encoding: 'utf-16' })
    expect(marked.rows).to.deep.equal(rows)
    const unmarked = rowsOf('-', { ...stdin(utf16(text)), encoding: 'utf-16' })
    expect(await failure(unmarked)).to.match(/no byte order mark; say --encoding utf-16le or utf-16be/)
  })

  it('UTF-16 of JSON, too', async () => {
    const source = await rowsOf('-', stdin(utf16('\ufeff [{"ä":1}]'), 5))
    expect(source).to.deep.include({ format: 'json', rows: [{ ä: 1 }] })
  })

  it('UTF-16 without a mark not at all, with a line that helps', async () => {
    const path = await file('h.csv', utf16('a,b\n1,2\n'))
    expect(await failure(rowsOf(path))).to.match(/NUL bytes; if it is UTF-16 or .* --encoding utf-16le, /)
    const accents = await file('i.csv', utf16('a,b\né,2\n'))
    expect(await failure(rowsOf(accents))).to.match(/NUL bytes; if it is UTF-16 or .* --encoding utf-16le, /)
  })

  for (const encoding of ['utf-32le', 'utf-32be']) {
    it(`${encoding} with a mark or without not at all, with a line that helps`, async () => {
      for (const mark of ['\ufeff', '']) {
        const path = await file('j.csv', iconv.encode(`${mark}a,b\né,2\n`, encoding))
        expect(await failure(rowsOf(path))).to.match(/NUL bytes; if it is .* UTF-32, say so .* or utf-32$/m)
        expect((await rowsOf(path, { encoding: 'utf-32' })).rows).to.deep.equal([{ a: 'é', b: '2' }])
      }
    })
  }

  it('latin1, and windows-1252, which has letters for what are control characters in latin1', async () => {
    const bytes = Buffer.from('a\n\xe9\x92\x80\n', 'latin1')
    expect((await rowsOf('-', { ...stdin(bytes), encoding: 'windows-1252' })).rows).to.deep.equal([
      { a: 'é’€' },
    ])
    expect(await failure(rowsOf('-', { ...stdin(bytes), encoding: 'latin1' }))).to.equal(
      'standard input: not valid latin1, on line 2, near byte 3; the bytes 80 to 9f are control characters in ' +
        'latin1, and letters in other encodings, such as windows-1252',
    )
    const all = Buffer.from(Array.from({ length: 96 }, (_, index) => 0xa0 + index))
    const valid = Buffer.concat([Buffer.from('a\n'), all, Buffer.from('\n')])
    expect((await rowsOf('-', { ...stdin(valid), encoding: 'latin1' })).rows).to.deep.equal([
      { a: all.toString('latin1') },
    ])
  })

  it('no other encoding with the byte order mark of UTF-8', async () => {
    for (const encoding of ['latin1', 'windows-1252', 'cp1251', 'utf-16le', 'shift_jis'] as Encoding[]) {
      expect(await failure(rowsOf('-', { ...stdin(Buffer.from(`\ufeff${text}`)), encoding }))).to.contain(
        `standard input: it begins with the byte order mark of UTF-8, which is not ${encoding}; leave out --encoding`,
      )
    }
  })

  const others: [name: string, bytes: string, expected: string][] = [
    ['cp1251', 'cff0e8e2e5f2', 'Привет'],
    ['Windows-1250', '8af869', 'Ši'.replace('i', 'ři')],
    ['ISO-8859-15', 'a4', '€'],
    ['KOI8-R', 'f0d2c9', 'При'],
    ['Shift_JIS', '93fa967b8cea', '日本語'],
    ['EUC-JP', 'c6fccbdcb8ec', '日本語'],
    ['gbk', 'd6d0cec4', '中文'],
    ['GB18030', '8130813095328236', '\u0080\u{20000}'],
    ['Big5', 'a4a4a4e5', '中文'],
    ['EUC-KR', 'c7d1b1db', '한글'],
    ['cp850', '84', 'ä'],
    ['UHC', 'c7d1b1db', '한글'],
    ['ISO-2022-JP', '1b2442467c4b5c386c1b2842', '日本語'],
    ['utf-8-sig', 'efbbbfc3a4', '\ufeffä'],
    ['ascii', '61', 'a'],
  ]
  for (const [encoding, bytes, expected] of others) {
    it(`${encoding}, however it comes in pieces`, async () => {
      const content = Buffer.concat([Buffer.from('a,b\n'), Buffer.from(bytes, 'hex'), Buffer.from(',x\n')])
      for (const step of [1, 3, 1000]) {
        const { rows } = await rowsOf('-', { ...stdin(content, step), encoding: encodingOf(encoding) })
        expect(rows).to.deep.equal([{ a: expected, b: 'x' }])
      }
    })
  }

  it('by the names that people use, and no other', () => {
    for (const [name, encoding] of [
      ['UTF-8', 'utf-8'],
      ['utf8', 'utf-8'],
      ['UTF_16LE', 'utf-16le'],
      ['ISO-8859-1', 'latin1'],
      ['Latin1', 'latin1'],
      ['CP1252', 'windows-1252'],
      ['Shift_JIS', 'shift_jis'],
    ]) {
      expect(encodingOf(name!), name).to.equal(encoding)
    }
    for (const name of ['', 'base64', 'hex', 'utf-7', 'binary', 'nonsense', '__proto__', 'constructor']) {
      expect(encodingOf(name), name).to.equal(undefined)
    }
  })

  const unassigned: [encoding: string, bytes: string, at: number][] = [
    ['cp1251', '98', 3],
    ['ascii', 'e9', 3],
    ['shift_jis', '93fa81', 5],
    ['shift_jis', '93fa81ff', 5],
    ['euc-kr', 'c7', 3],
  ]
  for (const [encoding, bytes, at] of unassigned) {
    it(`${encoding}, but not invalid bytes: ${bytes}`, async () => {
      const content = Buffer.concat([Buffer.from('a\nb'), Buffer.from(bytes, 'hex')])
      for (const step of [1, 1000]) {
        const message = await failure(rowsOf('-', { ...stdin(content, step), encoding }))
        const where = `on line 2, near byte (${at}|${at + 1})|it ends in the middle of a character`
        expect(message).to.match(new RegExp(`^standard input: not valid ${encoding}, (${where})$`))
      }
    })
  }

  const broken: [encoding: Encoding, content: Buffer][] = [
    ['utf-16le', utf16('a\n\ud83d\n')],
    ['utf-16le', utf16('a\n12').subarray(0, -1)],
    ['windows-1252', Buffer.from('a\n\x81\n', 'latin1')],
    ['iso-2022-jp', Buffer.from('a\nb\x1b$B\xff\xff\n', 'latin1')],
  ]
  for (const [encoding, content] of broken) {
    it(`fails on what is not ${encoding}: ${content.toString('hex')}`, async () => {
      const reading = rowsOf('-', { ...stdin(content, 100), encoding })
      expect(await failure(reading)).to.match(new RegExp(`^standard input: not valid ${encoding}`))
    })
  }

  it('names the line of a byte that is not valid, whatever the encoding', async () => {
    const lines = `a\n${'\u0a15\n'.repeat(999)}`
    const bad: [encoding: Encoding, content: Buffer][] = [
      ['utf-16le', Buffer.concat([utf16(lines), utf16('\ud83dx\n1\n')])],
      ['utf-16be', Buffer.concat([swapped(lines), swapped('\ud83dx\n1\n')])],
      ['gb18030', Buffer.concat([iconv.encode(lines, 'gb18030'), Buffer.from('b\xff\xff\n1\n', 'latin1')])],
      ['shift_jis', Buffer.from(`${'a\n'.repeat(1000)}\x81 \n1\n`, 'latin1')],
      ['windows-1252', Buffer.from(`${'a\n'.repeat(1000)}\x81\n1\n`, 'latin1')],
      ['iso-2022-jp', Buffer.from(`${'a\n'.repeat(1000)}b\x1b$B\xff\xff\n1\n`, 'latin1')],
    ]
    for (const [encoding, content] of bad) {
      for (const step of [7, 100_000]) {
        const message = await failure(rowsOf('-', { ...stdin(content, step), encoding }))
        expect(message).to.match(
          new RegExp(`^standard input: not valid ${encoding}, on line 1,001, near byte`),
        )
      }
    }
  })

  const misplaced: [encoding: Encoding, content: Buffer, at: number][] = [
    ['windows-1252', Buffer.from('a\nb\xe9\x80\x81\n', 'latin1'), 5],
    ['utf-16le', utf16('a\n\ud83d\ude00\ud83d\n'), 8],
    ['utf-16be', utf16('a\n\ud83d\ude00\ude00\n').swap16(), 8],
  ]
  for (const [encoding, content, at] of misplaced) {
    it(`names the byte that is not ${encoding}, however it comes in pieces`, async () => {
      for (const step of [6, 100]) {
        const reading = rowsOf('-', { ...stdin(content, step), encoding })
        expect(await failure(reading)).to.equal(
          `standard input: not valid ${encoding}, on line 2, near byte ${at}`,
        )
      }
    })
  }
})
