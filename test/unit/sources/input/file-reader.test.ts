import { appendFile, open, truncate, utimes, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { FileReader, type FileToRead } from '../../../../lib/sources/input/file-reader.ts'
import { SourceError } from '../../../../lib/sources/source-error.ts'
import { useFolder } from '../../../support/folder.ts'

const SIZE = 10_000

describe('FileReader', () => {
  const file = useFolder()

  /** Reads a file that `change` changes after its first kilobyte was read. */
  async function read(
    change: (path: string) => Promise<unknown>,
    status: Partial<FileToRead['status']> = {},
  ) {
    const path = await file('changing', Buffer.alloc(SIZE, 'x'))
    const handle = await open(path)
    const reader = new FileReader(
      { name: 'a.csv', handle, status: { ...(await handle.stat()), ...status } },
      1024,
    )
    let length = 0
    let failure: unknown
    try {
      for await (const chunk of reader) {
        if (length === 0) await change(path)
        length += (chunk as Buffer).length
      }
    } catch (error) {
      failure = error
    }
    return { length, failure, wasWrittenTo: reader.wasWrittenTo }
  }

  it('fails where the file was cut short while it was read', async () => {
    for (const change of [
      (path: string) => truncate(path, SIZE / 2),
      (path: string) => truncate(path, 0),
      (path: string) => writeFile(path, 'other, shorter rows'),
    ]) {
      const { failure } = await read(change)
      expect(failure).to.be.instanceOf(SourceError)
      expect(String(failure)).to.match(
        /a\.csv: it was cut short while it was read: it had 10,000 bytes, and has ended after \d,\d+$/,
      )
    }
  })

  it('reads a file that grows to its end, and knows that it was written to', async () => {
    expect(await read(path => appendFile(path, 'more'))).to.deep.equal({
      length: SIZE + 4,
      failure: undefined,
      wasWrittenTo: true,
    })
    const touch = (path: string) => utimes(path, 0, 0)
    expect(await read(touch)).to.deep.equal({ length: SIZE, failure: undefined, wasWrittenTo: true })
  })

  it('takes the end of a file that nothing has changed for its end, as in /sys', async () => {
    const whole = { length: SIZE, failure: undefined, wasWrittenTo: false }
    expect(await read(async () => {})).to.deep.equal(whole)
    expect((await read(async () => {}, { size: SIZE / 2 })).failure).to.equal(undefined)
  })
})
