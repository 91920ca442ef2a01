import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { importsOf, packagesOf, readSources, violations } from '../support/house.ts'

const repository = new URL('../../', import.meta.url)
const lib = fileURLToPath(new URL('lib', repository))

/** The rooms that only the command reaches. The build of the library leaves them out. */
const COMMAND_ONLY = /^(cli|embedded|sources)\//

describe('the house', () => {
  it('has no circle, no upward and no sideways import in lib/', async () => {
    const sources = await readSources(lib)
    expect(sources.size).to.be.at.least(4)
    expect([...sources].flatMap(([, source]) => importsOf(source)).length).to.be.at.least(sources.size)
    expect(violations(sources)).to.deep.equal([])
  })

  it('has rooms of at most fifteen files', async () => {
    const sources = await readSources(lib)
    const rooms = new Map<string, number>()
    for (const file of sources.keys())
      rooms.set(posix.dirname(file), (rooms.get(posix.dirname(file)) ?? 0) + 1)
    expect([...rooms].filter(([, files]) => files > 15)).to.deep.equal([])
  })

  it('imports only packages that package.json gives its users, or that are built into the command', async () => {
    const manifest = JSON.parse(await readFile(new URL('package.json', repository), 'utf8'))
    const installed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
    const builtIn = Object.keys(manifest.devDependencies)
    const sources = [...(await readSources(lib))]
    const undeclared = (isCommand: boolean, declared: readonly string[]) =>
      packagesOf(new Map(sources.filter(([file]) => COMMAND_ONLY.test(file) === isCommand))).filter(
        name => !declared.includes(name),
      )
    expect(undeclared(false, installed)).to.deep.equal([])
    expect(undeclared(true, [...installed, ...builtIn])).to.deep.equal([])
  })

  it('uses import.meta only in the command: Babel and bundlers cannot put it into a CommonJS module', async () => {
    const users = [...(await readSources(lib))].filter(([, source]) => source.includes('import.meta'))
    expect(users.map(([file]) => file).filter(file => !COMMAND_ONLY.test(file))).to.deep.equal([])
  })

  it('has one public door: package.json exports index and nothing deeper', async () => {
    const manifest = JSON.parse(await readFile(new URL('package.json', repository), 'utf8'))
    const doors = Object.keys(manifest.exports).filter(door => !['./package.json', './kafka'].includes(door))
    expect(doors).to.deep.equal(['.'])
    expect(manifest.exports['.'].default).to.equal('./dist/index.js')
  })
})

describe('the check of the house', () => {
  const house = (files: Record<string, string>) => violations(new Map(Object.entries(files)))

  it('passes a house whose arrows all go down', () => {
    expect(
      house({
        'index.ts': "export { PgBatchWritable } from './writable/pg-batch-writable.ts'",
        'writable/pg-batch-writable.ts':
          "import { write } from '../write/write.ts'\nimport '../options/checks.ts'",
        'options/checks.ts': "import type { A } from '../types.ts'",
        'write/write.ts': "import { encode } from '../encode/encode.ts'\nimport './retry.ts'",
        'write/retry.ts': "import { E } from '../errors.ts'",
        'encode/encode.ts': "import type { A } from '../types.ts'",
        'errors.ts': "import type { A } from './types.ts'",
        'types.ts': 'export type A = 1',
      }),
    ).to.deep.equal([])
  })

  it('finds a circle within one part, and one of a module with itself', () => {
    expect(
      house({
        'write/a.ts': "import { b } from './b.ts'",
        'write/b.ts': "export * from './c.ts'",
        'write/c.ts': "const a = await import('./a.ts')",
        'write/d.ts': "import type { D } from './d.ts'",
      }),
    ).to.deep.equal([
      'a circle: write/a.ts → write/b.ts → write/c.ts → write/a.ts',
      'a circle: write/d.ts → write/d.ts',
    ])
  })

  it('finds two rooms that import each other, though no modules do', () => {
    expect(
      house({
        'write/send/a.ts': "import '../plan/b.ts'",
        'write/plan/b.ts': '',
        'write/plan/c.ts': "import '../send/d.ts'",
        'write/send/d.ts': '',
        'write/run.ts': "import './send/a.ts'",
      }),
    ).to.deep.equal(['a circle of rooms: write/send → write/plan → write/send'])
  })

  it('finds an upward arrow, also of a type', () => {
    expect(
      house({
        'encode/a.ts': "import type {\n  B,\n} from '../write/b.ts'",
        'write/b.ts': 'export type B = 1',
      }),
    ).to.deep.equal(['encode/a.ts imports write/b.ts: encode may not know write'])
  })

  for (const [from, to] of [
    ['batch', 'encode'],
    ['batch', 'connection'],
    ['encode', 'table'],
    ['table', 'connection'],
    ['connection', 'encode'],
    ['write', 'kafka'],
    ['writable', 'kafka'],
    ['index', 'kafka'],
    ['index', 'cli'],
    ['write', 'options'],
    ['write', 'index'],
    ['write', 'writable'],
    ['embedded', 'cli'],
    ['values', 'errors'],
  ] as const) {
    it(`finds a forbidden arrow: ${from} → ${to}`, () => {
      const place = (part: string) => (['index', 'errors'].includes(part) ? `${part}.ts` : `${part}/x.ts`)
      const specifier = `${place(from).includes('/') ? '../' : './'}${place(to)}`
      expect(house({ [place(from)]: `import { x } from '${specifier}'`, [place(to)]: '' })).to.deep.equal([
        `${place(from)} imports ${place(to)}: ${from} may not know ${to}`,
      ])
    })
  }

  it('finds an import from outside lib, one of nothing, and an unknown part', () => {
    expect(
      house({
        'write/a.ts': "import '../../test/support/database.ts'\nimport '../errors.ts'",
        'helpers/b.ts': '',
      }),
    ).to.deep.equal([
      'write/a.ts imports ../../test/support/database.ts, outside lib/',
      'write/a.ts imports ../errors.ts, which is not there',
      'helpers/b.ts is in no known part of the house',
    ])
  })

  it('reads code and not comments or strings', () => {
    const source = [
      "// import { a } from './comment.ts'",
      "/** import { b } from './doc.ts' */",
      'const url = "http://x"; const text = \'import c from "./text.ts"\'',
      'const sql = `select 1 from "t"`',
      "import d, { type E } from './d.ts' // and why",
      "export type { F } from './f.ts'",
      "type G = import('./g.ts').G",
    ].join('\n')
    expect(importsOf(source)).to.deep.equal(['./d.ts', './f.ts', './g.ts'])
  })
})
