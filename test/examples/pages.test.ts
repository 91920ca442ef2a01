import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import pg from 'pg'
import { openWorkshop, type Workshop } from '../support/examples/workshop.ts'
import { parseSections } from '../support/pages/markdown.ts'
import { readPage, readPages } from '../support/pages/pages.ts'
import { createDatabase, testServer } from '../support/servers/database.ts'

const pages = readPages()

/** Runs `work` with a database of its own, so that no section leans on what another left behind. */
async function withDatabase(work: (connectionString: string) => Promise<void>): Promise<void> {
  const { connectionString } = await testServer()
  const name = `test_${randomBytes(6).toString('hex')}`
  const admin = new pg.Client({ connectionString })
  await admin.connect()
  try {
    await createDatabase(admin, name)
    const url = new URL(connectionString)
    url.pathname = `/${name}`
    await work(url.href)
  } finally {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await admin.end()
  }
}

describe('the pages for readers', function () {
  this.timeout(120_000)
  let workshop: Workshop

  before(async () => {
    workshop = await openWorkshop()
  })
  after(() => workshop?.close())

  it('are README, every page of docs/ and what else is at the top level', () => {
    const paths = pages.map(({ path }) => path)
    expect(paths).to.include.members(['README.md', 'CHANGELOG.md', 'docs/writing.md', 'docs/recipes.md'])
    expect(paths.length).to.be.at.least(13)
  })

  for (const { path, sections } of pages) {
    for (const section of sections) {
      it(`runs every code block of ${path}, "${section.heading}" (line ${section.line})`, async () => {
        await withDatabase(url => workshop.runSection(section, url))
      })
    }
  }

  it('have TypeScript blocks that compile', async () => {
    await workshop.typecheck(pages.flatMap(({ sections }) => sections))
  })
})

describe('the check of the pages', function () {
  this.timeout(120_000)
  let workshop: Workshop

  before(async () => {
    workshop = await openWorkshop()
  })
  after(() => workshop?.close())

  const good = readPage('test/examples/fixtures/good.md').sections
  const bad = readPage('test/examples/fixtures/bad.md').sections

  it('passes a page whose blocks all work, and really runs them', async () => {
    expect(good.flatMap(section => section.blocks).length).to.equal(7)
    for (const section of good) {
      await withDatabase(async url => {
        await workshop.runSection(section, url)
        const client = new pg.Client({ connectionString: url })
        await client.connect()
        const { rows } = await client.query('SELECT word FROM trace ORDER BY word')
        await client.end()
        expect(rows.map(row => row.word)).to.deep.equal(['from a test', 'js', 'sh: from a file', 'ts'])
      })
    }
    await workshop.typecheck(good)
  })

  const reasons: Record<string, RegExp> = {
    'A module that throws': /line \d+ \(A module that throws\)[\s\S]*planted/,
    'A module that never settles': /status 13/,
    'A name that is not exported': /NotExported/,
    'A failing test': /1 failing/,
    'A failing command': /status 3/,
    'A failing command before a good one': /status 1/,
    'Wrong SQL': /no_such_table/,
    'An unknown language': /no way is known to run a block of language "python"/,
    'No language': /no way is known to run a block of language ""/,
    'A script that does not exist': /no script "no-such-script"/,
    'An unknown package': /the checkout does not have the package left-pad/,
  }

  it('has a reason for each bad block', () => {
    expect(bad.map(section => section.heading)).to.deep.equal(Object.keys(reasons))
  })

  for (const section of bad) {
    it(`fails on: ${section.heading}`, async () => {
      let message = 'nothing was thrown'
      await withDatabase(url => workshop.runSection(section, url)).catch(error => {
        message = String(error)
      })
      expect(message).to.match(reasons[section.heading]!)
    })
  }

  it('fails on a type error that runs all the same', async () => {
    let message = 'nothing was thrown'
    await workshop
      .typecheck(parseSections('# Types\n```ts\nexport const a: number = "x"\n```\n'))
      .catch(error => {
        message = String(error)
      })
    expect(message).to.include('TS2322')
  })

  it('fails on a block that is never closed', () => {
    expect(() => parseSections('# Open\n```ts\nlet a = 1\n')).to.throw(
      'line 2: this code block is never closed',
    )
  })
})
