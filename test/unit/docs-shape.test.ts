import { expect } from 'chai'
import { anchorsOf, linksOf } from '../support/pages/links.ts'
import { readPage, readPages } from '../support/pages/pages.ts'

/** Lines that a reader of the page's source scrolls past: tables, and what is one long word. */
const MAY_BE_LONG = /^\s*\||^\s*\S+$|^\[[^\]]+\]: |^!\[/

/** From here on a page needs a table of contents. */
const LONG_PAGE_LINES = 150

describe('the shape of the pages for readers', () => {
  const pages = readPages()
  const docs = pages.filter(({ path }) => path.startsWith('docs/'))

  for (const { path, markdown } of pages) {
    it(`${path} ends its lines by column 110`, () => {
      const long = markdown.split('\n').filter(line => [...line].length > 110 && !MAY_BE_LONG.test(line))
      expect(long).to.deep.equal([])
    })
  }

  it('README has at most 250 lines', () => {
    expect(readPage('README.md').markdown.split('\n').length).to.be.at.most(250)
  })

  for (const { path, markdown } of docs) {
    it(`${path} begins with a sentence that says what it is for`, () => {
      expect(markdown).to.match(/^# .+\n\n[A-Z`[][^\n]+(\n[^\n]+)*\n\n/)
    })

    it(`${path} lists its sections at the beginning, where it is long`, () => {
      if (markdown.split('\n').length < LONG_PAGE_LINES) return
      const [beginning = '', ...sections] = markdown.split('\n## ')
      const headings = sections.map(section => `## ${section.split('\n', 1)[0]}`).join('\n')
      const anchors = anchorsOf(headings).filter(anchor => anchor !== 'contents')
      expect(linksOf(beginning)).to.include.members(anchors.map(anchor => `#${anchor}`))
    })
  }
})
