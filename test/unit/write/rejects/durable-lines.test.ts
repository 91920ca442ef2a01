import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { DurableLines, type IdentifiedLine } from '../../../../lib/write/rejects/durable-lines.ts'

function line(): IdentifiedLine {
  const id = randomUUID()
  return { id, text: JSON.stringify({ id }) }
}

describe('DurableLines', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-batch-lines-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('appends nothing where the check fails, which comes after the file was read', async () => {
    const path = join(folder, 'lines')
    const first = line()
    const second = line()
    await new DurableLines(path).append([first])
    const lines = new DurableLines(path)
    const lost = new Error('the lock is lost')
    const failing = lines.append([first, second], () => {
      throw lost
    })
    expect(await failing.catch(error => error)).to.equal(lost)
    expect(await readFile(path, 'utf8')).to.equal(`${first.text}\n`)
    await lines.append([first, second])
    expect(await readFile(path, 'utf8')).to.equal(`${first.text}\n${second.text}\n`)
  })
})
