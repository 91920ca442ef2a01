import { expect } from 'chai'
import { useDatabase } from '../../../support/servers/database.ts'
import { start } from '../support.ts'

describe('pg-batch in a locale that is not UTF-8', () => {
  const database = useDatabase()
  const ascii = /^[\x20-\x7e\n]*$/
  const inC = (words: readonly string[], input = '') =>
    start(words, { DATABASE_URL: database.connectionString, LC_ALL: 'C' }, input).ended

  it('prints help, usage errors, tables and shortened texts in ASCII', async () => {
    const input = `id,note\n1,${'a'.repeat(5000)}\n`
    const load = ['load', '-', '-t', 'notes', '--create']
    const printed = [
      await inC(['load', '--help-all']),
      await inC(['load', 'a.csv', '-t', 't', '--columns', 'id,']),
      await inC([...load, '--dry-run'], input),
      await inC([...load, '--summary'], input),
    ].map(({ stdout, stderr }) => stdout + stderr)
    for (const text of printed) expect(text).to.match(ascii)
    const [help, usage, dryRun, summary] = printed
    expect(help).to.contain('--columns <a,b,...>')
    expect(usage).to.contain("'-c, --columns <a,b,...>' argument 'id,' is invalid")
    expect(dryRun).to.contain(`| 1  | ${'a'.repeat(21)}... |`)
    expect(summary).to.match(/^\| committed +\| +1 \|/m)
  })

  it('draws tables with lines in a locale of UTF-8', async () => {
    const { stderr } = await start(
      ['load', '-', '-t', 'others', '--create', '--summary'],
      { DATABASE_URL: database.connectionString, LC_ALL: 'C.UTF-8' },
      'id\n1\n',
    ).ended
    expect(stderr).to.match(/^│ committed +│ +1 │/m)
  })
})
