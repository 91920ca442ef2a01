import { expect } from 'chai'
import { useMalformed } from '../rejects/malformed.ts'

describe('pg-batch load --rejects --encoding', () => {
  const { load, rows } = useMalformed()

  it('keeps records that are not valid ISO-2022-JP, with the characters beside what is not one', async () => {
    const kanji = (bytes: string) => `\x1b$B${bytes}\x1b(B`
    const [KORE, QUOTES] = ['$3$l', '""!"'] // the bytes of a character may be those of quotes
    const content = [
      'id,name',
      `1,${kanji(KORE)}`,
      `2,${kanji(`$3\xff\xff${QUOTES}`)},"x"`,
      `3,"${kanji(KORE)}`,
      `${kanji(QUOTES)}"`,
      `4,${kanji('$')}`,
      `5,\x1b$B$3`,
      `6,\x1b$B!"\xff`,
      `7,${kanji(KORE)}\x80`,
      `8,\x1b(J\\`,
      `9,\\`,
      '',
    ].join('\n')
    const { ended, rejected } = await load(
      'jp.csv',
      Buffer.from(content, 'latin1'),
      '--encoding',
      'ISO-2022-JP',
    )
    expect(ended.status, ended.stderr).to.equal(0)
    const fault = (line: number) => `the record that begins on line ${line} is not valid iso-2022-jp`
    const raw = (...parts: (string | number)[]) => ({
      pg_batch_raw: `\\x${parts.map(part => (part === 0xff ? 'ff' : Buffer.from(`${part}`).toString('hex'))).join('')}`,
    })
    expect(rejected).to.deep.equal([
      [2, fault(3), raw('2,こ', 0xff, '□、,"x"')],
      [4, fault(6), raw('4,', 0xff)],
      [6, fault(8), raw('6,、', 0xff)],
      [7, fault(9), raw('7,これ', 0xff)],
    ])
    expect(await rows()).to.deep.equal([
      { id: 1, name: 'これ' },
      { id: 3, name: 'これ\n□、' },
      { id: 5, name: 'こ' },
      { id: 8, name: '¥' },
      { id: 9, name: '¥' },
    ])
  })

  for (const [encoding, bad, raw] of [
    ['windows-1252', Buffer.from('2,\x81b', 'latin1'), '322cff62'],
    ['utf-16le', Buffer.concat([Buffer.from('2,', 'utf16le'), Buffer.from([0x00, 0xd8])]), '322cff'],
    ['utf-16be', Buffer.concat([Buffer.from('2,', 'utf16le').swap16(), Buffer.from([0xdc, 0x00])]), '322cff'],
    ['Shift_JIS', Buffer.from('2,\x81\xff', 'latin1'), '322cff'],
  ] as const) {
    it(`keeps records that are not valid ${encoding}, with ff for what is not a character`, async () => {
      const encode = (text: string) => {
        if (encoding === 'utf-16le') return Buffer.from(text, 'utf16le')
        return encoding === 'utf-16be' ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text)
      }
      const content = Buffer.concat([encode('id,name\n1,a\n'), bad, encode('\n3,c\n')])
      const { ended, rejected } = await load('other.csv', content, '--encoding', encoding)
      expect(ended.status, ended.stderr).to.equal(0)
      expect(rejected.map(([row]) => row)).to.deep.equal([2])
      expect(rejected[0]![1]).to.equal(
        `the record that begins on line 3 is not valid ${encoding.toLowerCase()}`,
      )
      expect(rejected[0]![2].pg_batch_raw).to.match(new RegExp(`^\\\\x${raw}`))
      expect((await rows()).map(({ id }) => id)).to.deep.equal([1, 3])
    })
  }
})
