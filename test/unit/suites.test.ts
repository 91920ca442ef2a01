import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { globSync } from 'tinyglobby'

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }

/** What `npm test` leaves out. CI runs each of them, and `npm run test:all` runs all at once. */
const OTHERS = ['test:reliability', 'test:oracles', 'test:docs', 'test:package', 'test:benches']

/** Returns the test files that a script runs: mocha's patterns, without those that it ignores. */
function filesOf(script: string): string[] {
  const words = scripts[script]!.match(/"[^"]+"|\S+/g)!.map(word => word.replaceAll('"', ''))
  const isPattern = (word: string) => word.startsWith('test/')
  const isIgnored = (at: number) => words[at - 1] === '--ignore'
  return globSync(
    words.filter((word, at) => isPattern(word) && !isIgnored(at)),
    { ignore: words.filter((_, at) => isIgnored(at)) },
  )
}

describe('the suites of package.json', () => {
  const all = globSync('test/{examples,integration,unit}/**/*.test.ts').sort()

  it('are all in test:all', () => {
    expect(filesOf('test:all').sort()).to.deep.equal(all)
  })

  it('share no file, and together leave none out', () => {
    for (const script of OTHERS) expect(filesOf(script), script).not.to.be.empty
    expect(['test', ...OTHERS].flatMap(filesOf).sort()).to.deep.equal(all)
  })

  it('are each run by CI', () => {
    const ci = readFileSync('.ci/run', 'utf8')
    for (const script of ['test', 'test:all', ...OTHERS]) expect(ci).to.match(new RegExp(`\\b${script}\\b`))
  })
})
