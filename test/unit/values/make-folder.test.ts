import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { makeFolder } from '../../../lib/values/make-folder.ts'

describe('makeFolder', () => {
  let home: string
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'pg-batch-folder-'))
  })
  afterEach(() => rm(home, { recursive: true }))

  it('makes the folders that are missing, and returns the first of them', async () => {
    expect(makeFolder(join(home, 'a', 'b', 'c'))).to.equal(join(home, 'a'))
    expect((await stat(join(home, 'a', 'b', 'c'))).mode & 0o777).to.equal(0o700)
    expect(makeFolder(join(home, 'a', 'b'))).to.equal(undefined)
  })

  it('throws below /proc, where `mkdir` with `recursive` never returns', () => {
    expect(() => makeFolder('/proc/pg-batch/data/x')).to.throw(/mkdir/)
  })
})
