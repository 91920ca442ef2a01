import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The longest line of prose and code, in characters. */
const COLUMNS = 110

/** Words that this project's prose avoids, each with the plain word for it. */
const AVOIDED: Readonly<Record<string, RegExp>> = {
  'the caller, the user, another session': /\b(whoever|nobody|somebody)\b/i,
  'the outcome of': /\bbec(ame|omes?) of\b/i,
  'is available': /\b(is|was|are|were) to be had\b/i,
  'except, so that … not, after which': /\b(save (for|that)|lest|upon which)\b/i,
  'at most': /\bat the most\b/i,
  'for nothing, forever': /\b(in vain|for ever)\b/i,
  'introspect, introspected': /\blearnt\b/i,
  fixed: /\bmended\b/i,
  'it does not matter': /\bno matter\b/i,
  'permanently, continues': /\bfor good\b|\bgo(es)? on\b/i,
  'is not one, without': /\bis none\b/i,
}

/** Returns the comments of a TypeScript source, line by line. */
function commentsOf(source: string): string[] {
  return source.split('\n').flatMap(line => {
    const comment = /^\s*(?:\/\*\*?|\*|\/\/) ?(.*)$/.exec(line) ?? /\s\/\/ (.*)$/.exec(line)
    return comment ? [comment[1]!] : []
  })
}

/** Returns the files of a folder that end like this, as paths from the repository's root. */
function filesOf(folder: string, ending: string, recursive = true): string[] {
  const names = readdirSync(join(root, folder), { recursive, encoding: 'utf8' })
  return names
    .filter(name => name.endsWith(ending))
    .map(name => posix.join(folder, name.split(sep).join('/')))
}

const read = (file: string): string => readFileSync(`${root}/${file}`, 'utf8')

/** Returns `file:line` for each line that `fits` rejects. */
const misfits = (file: string, fits: (line: string) => boolean): string[] =>
  read(file)
    .split('\n')
    .flatMap((line, index) => (fits(line) ? [] : [`${file}:${index + 1}`]))

describe('prose and code', () => {
  const sources = ['lib', 'bench', 'test'].flatMap(folder => filesOf(folder, '.ts'))
  const pages = [
    ...filesOf('.', '.md', false),
    ...['docs', 'bench'].flatMap(folder => filesOf(folder, '.md')),
  ]

  it('end their lines by column 110 in lib', () => {
    const files = sources.filter(file => file.startsWith('lib/'))
    const fits = (line: string) => line.length <= COLUMNS || line.includes('https:')
    expect(files).to.have.length.above(200)
    expect(files.flatMap(file => misfits(file, fits))).to.deep.equal([])
  })

  it('end the lines of comments by column 110 everywhere', () => {
    const fits = (line: string) => line.length <= COLUMNS || !/^\s*(\/\*\*?|\*|\/\/) /.test(line)
    const files = sources.filter(file => !file.startsWith('lib/'))
    expect(files).to.have.length.above(200)
    expect(files.flatMap(file => misfits(file, fits))).to.deep.equal([])
  })

  it('end the lines of Markdown by column 110, tables and links aside', () => {
    const fits = (line: string) => line.length <= COLUMNS || /^\||https?:|^!\[/.test(line)
    expect(pages).to.have.length.above(10)
    expect(pages.flatMap(file => misfits(file, fits))).to.deep.equal([])
  })

  for (const [plain, avoided] of Object.entries(AVOIDED)) {
    it(`say "${plain}" in plain English`, () => {
      const inComments = sources.filter(file => avoided.test(commentsOf(read(file)).join(' ')))
      const inPages = pages.filter(file => avoided.test(read(file).replaceAll('\n', ' ')))
      expect([...inComments, ...inPages]).to.deep.equal([])
    })
  }
})
