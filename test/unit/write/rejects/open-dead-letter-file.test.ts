import { execFile } from 'node:child_process'
import { constants, openSync } from 'node:fs'
import { readFile, stat, symlink } from 'node:fs/promises'
import { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
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

  for (const access of ['O_WRONLY', 'O_RDWR'] as const) {
    it(`writes into a FIFO while a process reads it, and refuses one without a reader, by ${access}`, async function () {
      if (process.platform === 'win32') this.skip()
      const path = `${await file(access, '')}.fifo`
      await promisify(execFile)('mkfifo', [path])
      const failure = await openDeadLetterFile(path, constants[access]).catch(error => error.message)
      expect(failure).to.equal(`${path} is a FIFO that no process reads`)
      const reader = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) })
      const received = text(reader)
      const handle = await openDeadLetterFile(path, constants[access])
      const line = `${'x'.repeat(1_000_000)}\n` // more than a FIFO has room for
      await handle.appendFile(line)
      await handle.close()
      expect(await received).to.equal(line)
    })
  }

  it('appends, and creates a file that only its owner can read', async () => {
    const path = `${await file('base', '')}.new`
    for (const letter of ['a', 'b']) {
      const handle = await openDeadLetterFile(path, constants.O_RDWR)
      await handle.appendFile(letter)
      await handle.close()
    }
    expect(await readFile(path, 'utf8')).to.equal('ab')
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
  })
})
