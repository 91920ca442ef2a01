import { constants } from 'node:fs'
import { readFile, stat, symlink } from 'node:fs/promises'
import { expect } from 'chai'
import { mayBeLink, openDeadLetterFile } from '../../../../lib/write/rejects/open-dead-letter-file.ts'
import { useFolder } from '../../../support/folder.ts'

describe('openDeadLetterFile', () => {
  const file = useFolder()

  it('follows no symbolic links except those of the system', () => {
    const links = ['/dev/stderr', '/dev/stdout', '/dev/fd/63', '/proc/self/fd/3'].map(mayBeLink)
    expect(links).to.deep.equal([true, true, true, true])
    const others = [
      '/dev/shm/x',
      '/tmp/x',
      'dev/stderr',
      '/home/dev/x',
      '/proc/../tmp/x',
      '/proc/self/cwd/x',
      './dev/fd/3',
    ].map(mayBeLink)
    expect(others).to.deep.equal(others.map(() => false))
  })

  it('refuses a link, whether or not its target exists', async function () {
    if (process.platform === 'win32') this.skip()
    const victim = await file('victim', 'precious')
    for (const [name, target] of [
      ['link', victim],
      ['dangling', `${victim}.none`],
    ] as const) {
      const path = `${victim}.${name}`
      await symlink(target, path)
      const failure = await openDeadLetterFile(path, constants.O_WRONLY).catch(error => error.code)
      expect(failure).to.equal('ELOOP')
    }
    expect(await readFile(victim, 'utf8')).to.equal('precious')
    expect(await stat(`${victim}.none`).catch(error => error.code)).to.equal('ENOENT')
  })

  it('appends, and creates a file that only its owner can read', async () => {
    const path = `${await file('base', '')}.new`
    for (const text of ['a', 'b']) {
      const handle = await openDeadLetterFile(path, constants.O_RDWR)
      await handle.appendFile(text)
      await handle.close()
    }
    expect(await readFile(path, 'utf8')).to.equal('ab')
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
  })
})
