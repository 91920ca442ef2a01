import { expect } from 'chai'
import { outputModeOf } from '../../../../lib/cli/report/report-error.ts'
import {
  cut,
  shortSql,
  visible,
  visibleJson,
  visibleLines,
  visibleSql,
} from '../../../../lib/cli/terminal/visible.ts'

describe('visible', () => {
  it('writes characters that a terminal obeys as escapes, and leaves all others', () => {
    expect(visible('\x1b[31m \x07 \x9b \x7f \u202e \u2066 \u2028 \r\n')).to.equal(
      '\\x1b[31m \\x07 \\x9b \\x7f \\u202e \\u2066 \\u2028 \\r\\n',
    )
    const harmless = 'Größe\t値段 👩‍👩‍👧 \\x1b é שלום'
    expect(visible(harmless)).to.equal(harmless)
    expect(visibleLines('a\nb\x1b')).to.equal('a\nb\\x1b')
  })

  it('keeps JSON the same value', () => {
    const value = { a: '\x1b\x7f\x9b\u202e\n"\\', n: 1 }
    const text = visibleJson(value)
    expect(JSON.parse(text)).to.deep.equal(value)
    expect(text).not.to.match(/\p{Cc}|\u202e/u)
  })

  it('shows a quoted name on one line of its statement', () => {
    expect(visibleSql('CREATE TABLE "t" (\n  "a\nb""c" text\n)')).to.deep.equal([
      'CREATE TABLE "t" (',
      '  "a\\nb""c" text',
      ')',
    ])
  })

  it('shows the first lines of a statement with many, and its last one', () => {
    const sql = (columns: number) =>
      ['CREATE TABLE "t" (', ...Array.from({ length: columns }, (_, i) => `  "c${i}" text`), ')'].join('\n')
    expect(shortSql(sql(20))).to.deep.equal(visibleSql(sql(20)))
    expect(shortSql(sql(1600)).slice(19)).to.deep.equal([
      '  "c18" text',
      '  … 1,581 more lines, which --dry-run shows',
      ')',
    ])
  })

  it('cuts the middle of a text that is too long', () => {
    expect(cut('short')).to.equal('short')
    const long = cut(`${'a'.repeat(1_000_000)}the end`)
    expect(long)
      .to.match(/^a+… \(998007 characters left out\) …a+the end$/)
      .and.have.length.below(2100)
  })
})

describe('outputModeOf', () => {
  it('finds --log json and --quiet among arguments that may be wrong', () => {
    expect(outputModeOf(['load', '--log', 'json'])).to.equal('json')
    expect(outputModeOf(['--log=json', '--nonsense'])).to.equal('json')
    expect(outputModeOf(['load', '--quiet', '-t'])).to.equal('quiet')
    expect(outputModeOf(['load', '--log', 'xml'])).to.equal('lines')
    expect(outputModeOf(['load', '--', '--quiet'])).to.equal('lines')
  })
})
