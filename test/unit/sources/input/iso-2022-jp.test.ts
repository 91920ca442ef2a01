import { expect } from 'chai'
import { iso2022JpKeepingInvalid } from '../../../../lib/sources/input/iso-2022-jp.ts'
import { INVALID } from '../../../../lib/sources/input/keep-invalid.ts'

const LINE = 3 * 1024 * 1024
const CHUNK = 65_537

/** 日本 in bytes, between sequences that say so, and without them. */
const NIHON = '\x1b$BF|K\\\x1b(B'
const NIHON_ALONE = 'F|K\\'

/** Decodes bytes in chunks. Returns the text, and whether text came at least every 2 MiB. */
function decode(bytes: Buffer): { text: string; isBounded: boolean } {
  const decoder = iso2022JpKeepingInvalid()
  let text = ''
  let isBounded = true
  let sinceText = 0
  for (let start = 0; start < bytes.length; start += CHUNK) {
    const part = decoder(bytes.subarray(start, start + CHUNK), false)
    sinceText = part === '' ? sinceText + CHUNK : 0
    if (sinceText > 2 * 1024 * 1024) isBounded = false
    text += part
  }
  return { text: text + decoder(Buffer.alloc(0), true), isBounded }
}

describe('ISO-2022-JP with invalid bytes kept', () => {
  for (const [title, head, unit, decoded] of [
    ['of ASCII', '', 'abcdefg', 'abcdefg'],
    ['of characters between sequences', '', `a${NIHON}`, 'a日本'],
    ['of sequences one after the other', '', NIHON, '日本'],
    ['of one kind of characters', '\x1b$B', NIHON_ALONE, '日本'],
    ['of half-width katakana', '\x1b(I', '123', 'ｱｲｳ'],
    [
      'with a character that is not valid',
      '',
      `${'x'.repeat(999)}\xff${NIHON}`,
      `${'x'.repeat(999)}${INVALID}日本`,
    ],
  ] as const) {
    it(`decodes a line of 3 MiB ${title} without holding all of it`, () => {
      const count = Math.ceil(LINE / unit.length)
      const bytes = Buffer.from(`${head}${unit.repeat(count)}\nend${NIHON}`, 'latin1')
      const { text, isBounded } = decode(bytes)
      expect(isBounded).to.equal(true)
      expect(text === `${decoded.repeat(count)}\nend日本`).to.equal(true)
    })
  }

  it('begins each line as ASCII', () => {
    expect(decode(Buffer.from(`\x1b$B${NIHON_ALONE}\n${NIHON_ALONE}`, 'latin1')).text).to.equal('日本\nF|K\\')
  })
})
