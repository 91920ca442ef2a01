import { expect } from 'chai'
import { conditionName } from '../../lib/write/faults/sqlstate-names.ts'
import { anchorsOf } from '../support/pages/links.ts'
import { readPage } from '../support/pages/pages.ts'
import { entriesOf, errorCodes, readSources, sectionOf } from '../support/pages/reference.ts'

/** The messages of a page: lines of bold code. An ellipsis is what differs. Below them is what to do. */
function messagesOf(markdown: string): { message: string; answer: string }[] {
  const entries = markdown.matchAll(/^(\*\*`.+`\*\*)\n\n([\s\S]*?)(?=\n\n\*\*`|\n#|$)/gm)
  return [...entries].flatMap(([, line, answer]) =>
    [...line!.matchAll(/\*\*(`+) ?(.+?) ?\1\*\*/g)].map(([, , message]) => ({
      message: message!,
      answer: answer!,
    })),
  )
}

describe('docs/troubleshooting.md', () => {
  const { markdown } = readPage('docs/troubleshooting.md')
  const codes = errorCodes()

  it('has an entry for every error code, with an anchor of its name, and no other', () => {
    expect(codes.length).to.be.at.least(12)
    expect(
      entriesOf(markdown, '## By code')
        .map(({ name }) => name)
        .sort(),
    ).to.deep.equal(codes.sort())
    expect(anchorsOf(markdown)).to.include.members(codes.map(code => code.toLowerCase()))
  })

  it('says for every error code what to do', () => {
    for (const { name, text } of entriesOf(markdown, '## By code'))
      expect(text.trim().length, name).to.be.at.least(100)
  })

  it('is where the codes on the page of writing lead', () => {
    const links = readPage('docs/writing.md').markdown.matchAll(
      /^\[([A-Z_]+)\]: troubleshooting\.md#(\w+)$/gm,
    )
    const targets = new Map([...links].map(([, code, anchor]) => [code!, anchor!]))
    expect(targets).to.deep.equal(new Map(codes.map(code => [code, code.toLowerCase()])))
  })

  it('names SQLSTATEs that PostgreSQL has', () => {
    const text = sectionOf(markdown, '## By SQLSTATE')
    const listed = [...text.matchAll(/^\| ([\dA-Z, ]+) \|/gm)].flatMap(([, cell]) => cell!.split(', '))
    expect(listed.length).to.be.at.least(15)
    for (const code of listed) expect(conditionName(code), code).to.be.a('string')
  })

  it('quotes messages that the source really has, and says what to do', () => {
    const source = readSources()
      .join('\n')
      .replaceAll(/\\([`'"])/g, '$1')
      .replaceAll(/['`]\s*\+\s*['`]/g, '')
    const messages = messagesOf(markdown)
    expect(messages.length).to.be.at.least(35)
    for (const { message, answer } of messages) {
      for (const part of message.split('…').map(text => text.trim()))
        expect(source.includes(part), `${part} (of ${message})`).to.equal(true)
      expect(answer.trim(), message).to.not.equal('')
    }
  })
})
