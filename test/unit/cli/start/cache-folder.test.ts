import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { cacheFolder } from '../../../../lib/cli/start/cache-folder.ts'

describe('the folder of the cache', () => {
  let home: string

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'pg-batch-cache-'))
  })
  afterEach(() => rm(home, { recursive: true }))

  it('is in XDG_CACHE_HOME, and only its user can enter it', async () => {
    const folder = cacheFolder({ XDG_CACHE_HOME: home })
    expect(folder).to.equal(join(home, 'pg-batch'))
    expect((await stat(folder!)).mode & 0o777).to.equal(0o700)
    expect(cacheFolder({ XDG_CACHE_HOME: home })).to.equal(folder)
  })

  it('is not used if other users can write to it: they could make the command run their code', async () => {
    await mkdir(join(home, 'pg-batch'))
    await chmod(join(home, 'pg-batch'), 0o770)
    expect(cacheFolder({ XDG_CACHE_HOME: home })).to.equal(undefined)
  })

  it('is not used where it cannot be made, or a variable of Node.js switches it off', async () => {
    expect(cacheFolder({ XDG_CACHE_HOME: home, NODE_DISABLE_COMPILE_CACHE: '1' })).to.equal(undefined)
    expect(cacheFolder({ XDG_CACHE_HOME: home, NODE_V8_COVERAGE: '/tmp/x' })).to.equal(undefined)
    await writeFile(join(home, 'file'), '')
    expect(cacheFolder({ XDG_CACHE_HOME: join(home, 'file') })).to.equal(undefined)
    expect(cacheFolder({ XDG_CACHE_HOME: join(home, 'a', 'b') })).to.equal(join(home, 'a', 'b', 'pg-batch'))
  })

  it('is not waited for below /proc, where mkdirSync with `recursive` never returns', () => {
    const module = new URL('../../../../lib/cli/start/cache-folder.ts', import.meta.url)
    const code = `import { cacheFolder } from '${module}'
      console.log(cacheFolder({ XDG_CACHE_HOME: '/proc/pg-batch/cache' }))`
    const words = ['--import', 'tsx', '--input-type=module', '--eval', code]
    // another process, because one that hangs in mkdirSync can only be killed
    const { stdout, status } = spawnSync(process.execPath, words, { timeout: 20_000, encoding: 'utf8' })
    expect({ stdout, status }).to.deep.equal({ stdout: 'undefined\n', status: 0 })
  }).timeout(30_000)
})
