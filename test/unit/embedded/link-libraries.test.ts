import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { linkLibraries } from '../../../lib/embedded/link-libraries.ts'

describe('linkLibraries', () => {
  let home: string
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'pg-batch-links-'))
    await mkdir(join(home, 'native/lib'), { recursive: true })
    await writeFile(join(home, 'native/lib/libicu.so.60.2'), 'code')
  })
  afterEach(() => rm(home, { recursive: true, force: true }))

  it('makes the links that a package lists, as its install script does, and leaves those that are there', async () => {
    const links = ['libicu.so', 'libicu.so.60'].map(name => ({
      source: 'native/lib/libicu.so.60.2',
      target: `native/lib/${name}`,
    }))
    await writeFile(join(home, 'native/pg-symlinks.json'), JSON.stringify(links))
    await linkLibraries(home)
    await linkLibraries(home)
    expect(await readlink(join(home, 'native/lib/libicu.so'))).to.equal('libicu.so.60.2')
    expect(await readFile(join(home, 'native/lib/libicu.so.60'), 'utf8')).to.equal('code')
  })

  it('makes none for a package that lists none', async () => {
    await linkLibraries(home)
    expect(await readdir(join(home, 'native/lib'))).to.deep.equal(['libicu.so.60.2'])
  })
})
