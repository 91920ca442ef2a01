import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import { readPage, readPages } from '../support/pages/pages.ts'

const RESULTS = /\]\((?:\.\.\/)?bench\/([\w-]+)\/RESULTS\.md\)/

/**
 * A figure that a page takes from a benchmark: a number with a decimal, or a large one, in a row or item that
 * links to it.
 */
interface Figure {
  readonly bench: string
  readonly text: string
}

/**
 * Returns the figures of the rows and list items that link to a RESULTS.md; those of code and of links are
 * none.
 */
function figuresOf(markdown: string): Figure[] {
  const lines = markdown.replace(/\n {2,}(?=\S)/g, ' ').split('\n')
  return lines.flatMap(line => {
    const bench = RESULTS.exec(line)?.[1]
    if (bench === undefined || !/^(\||- )/.test(line)) return []
    const text = line.replace(/`[^`]*`|\[[^\]]*\]\([^)]*\)/g, '')
    const numbers = text.match(/(?<![\w,.])\d+(?:\.\d+)?(?![\w,.]*\d)/g) ?? []
    return numbers
      .filter(number => number.includes('.') || Number(number) > 100)
      .map(text => ({ bench, text }))
  })
}

describe('the figures of the pages', () => {
  for (const { path, markdown } of readPages()) {
    const figures = figuresOf(markdown)
    if (figures.length === 0) continue
    it(`in ${path} are in the RESULTS.md that they link to`, () => {
      const results = (bench: string) =>
        readPage(`bench/${bench}/RESULTS.md`).markdown.split('## Findings')[0]!
      const missing = figures.filter(({ bench, text }) => {
        const escaped = text.replace('.', '\\.')
        return !new RegExp(`(?<![\\d.])${escaped}(?![\\d.])`).test(results(bench))
      })
      expect(missing).to.deep.equal([])
    })
  }

  it('are many in README, and in docs/benchmarks.md are of every benchmark', () => {
    expect(figuresOf(readPage('README.md').markdown).length).to.be.at.least(14)
    const benches = new Set(figuresOf(readPage('docs/benchmarks.md').markdown).map(({ bench }) => bench))
    const linked = readPage('docs/benchmarks.md').markdown.match(new RegExp(RESULTS, 'g'))!
    for (const { name } of readdirSync('bench', { withFileTypes: true }).filter(entry =>
      entry.isDirectory(),
    )) {
      if (['support', 'picture'].includes(name)) continue
      expect(
        linked.some(link => link.includes(`bench/${name}/`)),
        name,
      ).to.equal(true)
    }
    expect(benches.size).to.be.at.least(9)
  })

  it('are numbers with decimals or above 100, outside of code and links', () => {
    expect(
      figuresOf('| 1.5 of `2.5` 1,000 x 12 | 739 | [a](../bench/peers/RESULTS.md) |\n9.9\n'),
    ).to.deep.equal([
      { bench: 'peers', text: '1.5' },
      { bench: 'peers', text: '739' },
    ])
  })
})
