import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { restore, stub } from 'sinon'
import {
  DurableLines,
  type IdentifiedLine,
  type LineStore,
} from '../../../../lib/write/rejects/durable-lines.ts'

function line(more = ''): IdentifiedLine {
  const id = randomUUID()
  return { id, text: JSON.stringify({ id, more }) }
}

/** Lines that are stored until they are removed, in their order. */
class Store implements LineStore {
  readonly stored: IdentifiedLine[] = []
  lockIsLost = false

  async remove(ids: readonly string[]): Promise<void> {
    const kept = this.stored.filter(({ id }) => !ids.includes(id))
    this.stored.splice(0, Number.POSITIVE_INFINITY, ...kept)
  }

  check(): void {
    if (this.lockIsLost) throw new Error('the lock is lost')
  }
}

describe('DurableLines', () => {
  let folder: string
  let path: string
  let store: Store
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-batch-lines-'))
    path = join(folder, 'lines')
    store = new Store()
  })
  afterEach(async () => {
    restore()
    await rm(folder, { recursive: true, force: true })
  })

  const texts = async () => (await readFile(path, 'utf8')).trimEnd().split('\n')

  /** Moves the first lines of the store. */
  async function move(lines: DurableLines, count = 1000): Promise<void> {
    const moved = store.stored.splice(0, count)
    await lines.append(moved, store)
    lines.settle()
  }

  /** Moves the first lines of the store, which keeps them: its COMMIT fails. */
  async function fail(lines: DurableLines, count = 1000): Promise<void> {
    const before = [...store.stored]
    await lines.append(store.stored.splice(0, count), store)
    store.stored.splice(0, Number.POSITIVE_INFINITY, ...before)
  }

  it('appends nothing where the check fails, which comes after the file was read', async () => {
    const [first, second] = [line(), line()]
    await new DurableLines(path).append([first], store)
    const lines = new DurableLines(path)
    store.lockIsLost = true
    const error = await lines.append([first, second], store).catch(error => error)
    expect(error.message).to.equal('the lock is lost')
    expect(await texts()).to.deep.equal([first.text])
    store.lockIsLost = false
    await lines.append([first, second], store)
    expect(await texts()).to.deep.equal([first.text, second.text])
  })

  it('cuts nothing off where the check fails: another writer may be at it', async () => {
    await writeFile(path, '{"id":"1')
    store.lockIsLost = true
    await new DurableLines(path).append([line()], store).catch(() => {})
    expect(await readFile(path, 'utf8')).to.equal('{"id":"1')
  })

  it('removes what the file has of lines that come later', async () => {
    const [early, late] = [
      [line(), line()],
      [line(), line()],
    ]
    store.stored.push(...late)
    await fail(new DurableLines(path))
    store.stored.unshift(...early)
    const lines = new DurableLines(path)
    while (store.stored.length > 0) await move(lines, 2)
    expect(await texts()).to.deep.equal([...late, ...early].map(({ text }) => text))
  })

  it('reads what it and others have written once', async () => {
    const handle: FileHandle = await open(path, 'a+')
    const read = stub(Object.getPrototypeOf(handle), 'read').callThrough()
    await handle.close()
    const writers = [new DurableLines(path), new DurableLines(path), new DurableLines(path)]
    const bytes = async (moves: number) => {
      read.resetHistory()
      for (let move_ = 0; move_ < moves; move_++) {
        for (const lines of writers) {
          store.stored.push(...Array.from({ length: 100 }, () => line('x'.repeat(1000))))
          await move(lines)
        }
      }
      const answers = await Promise.all(read.returnValues as Promise<{ bytesRead: number }>[])
      return answers.reduce((sum, { bytesRead }) => sum + bytesRead, 0)
    }
    const first = await bytes(20)
    const next = await bytes(20)
    expect(first).to.be.greaterThan(20 * 3 * 100_000)
    expect(next).to.be.lessThan(first * 1.2)
    const all = await texts()
    expect(all).to.have.length(20 * 2 * 3 * 100)
    expect(new Set(all).size).to.equal(all.length)
  })

  for (const edited of ['cut', 'longer', 'reordered', 'replaced', 'deleted'] as const) {
    it(`recognizes lines in a file that was ${edited} between two moves`, async () => {
      const [mine, others] = [new DurableLines(path), new DurableLines(path)]
      const settled = [line(), line(), line()]
      store.stored.push(...settled)
      await move(mine)
      const waiting = [line(), line()]
      store.stored.push(...waiting)
      await fail(others)
      const [first, second, ...rest] = await texts()
      if (edited === 'cut') {
        await writeFile(path, `${[second, ...rest].join('\n')}\n`)
        await truncate(path, Buffer.byteLength([second, ...rest].join('\n')) - 5)
      } else if (edited === 'longer')
        await writeFile(path, `${['#'.repeat(999), first, second, ...rest].join('\n')}\n`)
      else if (edited === 'reordered')
        await writeFile(path, `${[...rest.reverse(), second, first].join('\n')}\n`)
      else {
        await rm(path)
        if (edited === 'replaced') await writeFile(path, `${rest.join('\n')}\n`)
      }
      await move(mine)
      const all = await texts()
      for (const { text } of waiting) expect(all.filter(each => each === text)).to.deep.equal([text])
      expect(store.stored).to.deep.equal([])
      if (edited === 'reordered' || edited === 'longer')
        for (const { text } of settled) expect(all).to.include(text)
    })
  }
})
