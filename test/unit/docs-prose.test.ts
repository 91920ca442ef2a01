import { expect } from 'chai'
import { readPage, readPages } from '../support/pages.ts'

const MAX_COLUMNS = 110

describe('the text of the pages for readers', () => {
  for (const { path, markdown } of readPages()) {
    it(`in ${path} ends by column ${MAX_COLUMNS}, except for rows of tables`, () => {
      const long = markdown
        .split('\n')
        .map((text, index) => ({ line: index + 1, columns: [...text].length, isRow: text.startsWith('|') }))
        .filter(({ columns, isRow }) => columns > MAX_COLUMNS && !isRow)
      expect(long).to.deep.equal([])
    })
  }

  it('of README is at most 250 lines', () => {
    expect(readPage('README.md').markdown.split('\n').length).to.be.at.most(250)
  })
})
