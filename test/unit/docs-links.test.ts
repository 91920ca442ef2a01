import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { expect } from 'chai'
import { anchorsOf, brokenLinks, linksOf } from '../support/pages/links.ts'
import { parseSections } from '../support/pages/markdown.ts'
import { readPages } from '../support/pages/pages.ts'

describe('the links of the pages for readers', () => {
  for (const page of readPages()) {
    it(`in ${page.path} lead to a file or heading of this repository`, () => {
      expect(brokenLinks(page)).to.deep.equal([])
    })
  }

  for (const page of readPages()) {
    it(`in ${page.path} lead to files that are in the package as well`, () => {
      const targets = linksOf(page.markdown)
        .map(link => link.split('#')[0]!)
        .filter(target => target !== '')
        .map(target => posix.join(posix.dirname(page.path), target))
      expect(targets.filter(target => !isPackaged(target))).to.deep.equal([])
    })
  }

  it('lead from README to every page of docs/', () => {
    const pages = readPages()
    const targets = linksOf(pages.find(({ path }) => path === 'README.md')!.markdown)
    for (const { path } of pages.filter(page => page.path.startsWith('docs/')))
      expect(targets).to.include(path)
  })
})

const { files } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  files: string[]
}

/** Returns true for a file that npm publishes: `files` names it, its folder, or a pattern of it. */
function isPackaged(path: string): boolean {
  return files.some(pattern =>
    new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}(/|$)`).test(path),
  )
}

describe('the check of links', () => {
  const check = (markdown: string) =>
    brokenLinks({ path: 'docs/a.md', markdown, sections: parseSections(markdown) })

  it('passes links to files, folders, headings, other sites, and what code only looks like', () => {
    const markdown =
      '# A `B` and c\n[a](../README.md) [b](#a-b-and-c) [c](https://a.example/#x) `[d](e.md)`\n' +
      '```sh\n# no heading\n[f](g.md)\n```\n<img src="../package.json"> ![h](../lib)'
    expect(check(markdown)).to.deep.equal([])
    expect(linksOf(markdown)).to.have.length(4)
  })

  for (const [link, reason] of [
    ['no-such-page.md', 'docs/a.md: no-such-page.md is not there'],
    ['#no-heading', 'docs/a.md: no heading is the target of #no-heading'],
    ['../README.md#no-heading', 'docs/a.md: no heading is the target of ../README.md#no-heading'],
    ['../../elsewhere', 'docs/a.md: ../../elsewhere leads out of the repository'],
  ] as const) {
    it(`finds ${link}, in Markdown and in HTML`, () => {
      expect(check(`[a](${link})`)).to.deep.equal([reason])
      expect(check(`<img alt="" src="${link}">`)).to.deep.equal([reason])
    })
  }

  it('numbers equal headings as GitHub does', () => {
    expect(anchorsOf('# Limits\n## Limits\n## `pg-batch`: a tool\n')).to.deep.equal([
      'limits',
      'limits-1',
      'pg-batch-a-tool',
    ])
  })
})
