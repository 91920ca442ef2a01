import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import { readPage, readPages } from '../support/pages/pages.ts'

const RESULTS = /\]\((?:\.\.\/)?bench\/([\w-]+)\/RESULTS\.md\)/

/**
 * A figure that a page takes from a benchmark: a number with a decimal, or a large one, in a row, item or
 * paragraph that links to it.
 */
interface Figure {
  readonly bench: string
  readonly text: string
  /** It may also be among the findings, which are written by hand. */
  readonly isProse?: true
}

/**
 * Returns the figures of the rows, list items and paragraphs that link to a RESULTS.md; those of code and of
 * links are none.
 */
function figuresOf(markdown: string): Figure[] {
  const lines = markdown.replace(/(?<!\|)\n(?=[^\s|#!<-])|\n {2,}(?=\S)/g, ' ').split('\n')
  return lines.flatMap(line => {
    const bench = RESULTS.exec(line)?.[1]
    if (bench === undefined) return []
    const text = line.replace(/`[^`]*`|\[[^\]]*\]\([^)]*\)/g, '')
    const numbers = text.match(/(?<![\w,.])\d+(?:\.\d+)?(?![\w,.]*\d)/g) ?? []
    return numbers
      .filter(number => number.includes('.') || Number(number) > 100)
      .map(text => (/^(\||- )/.test(line) ? { bench, text } : { bench, text, isProse: true as const }))
  })
}

describe('the figures of the pages', () => {
  for (const { path, markdown } of readPages()) {
    const figures = figuresOf(markdown)
    if (figures.length === 0) continue
    it(`in ${path} are in the RESULTS.md that they link to`, () => {
      const missing = figures.filter(({ bench, text, isProse }) => {
        const { markdown } = readPage(`bench/${bench}/RESULTS.md`)
        const results = isProse ? markdown : markdown.split('## Findings')[0]!
        const escaped = text.replace('.', '\\.')
        return !new RegExp(`(?<![\\d.])${escaped}(?![\\d.])`).test(results)
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
      figuresOf(
        '| 1.5 of `2.5` 1,000 x 12 | 739 | [a](../bench/peers/RESULTS.md) |\n9.9\n\n' +
          'On a\nmachine 8.5 ([b](../bench/load/RESULTS.md)).\n\n7.7',
      ),
    ).to.deep.equal([
      { bench: 'peers', text: '1.5' },
      { bench: 'peers', text: '739' },
      { bench: 'load', text: '8.5', isProse: true },
    ])
  })
})
