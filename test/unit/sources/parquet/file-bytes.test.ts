import { expect } from 'chai'
import { FileBytes } from '../../../../lib/sources/parquet/file-bytes.ts'
import { useFolder } from '../../../support/folder.ts'

describe('FileBytes', () => {
  const write = useFolder()

  it('returns the bytes of each range, whatever was read ahead for another', async () => {
    const content = Buffer.from(Array.from({ length: 600_000 }, (_, index) => index % 251))
    const file = await FileBytes.open(await write('ranges', content))
    try {
      const starts = [0, 100, 99, 262_143, 300_000, 262_100, 599_990, 600_000]
      for (const start of starts) {
        for (const length of [1, 200, 20_000]) {
          const bytes = await file.read(start, start + length)
          expect(bytes.equals(content.subarray(start, start + length)), `${start}, ${length}`).to.equal(true)
        }
      }
    } finally {
      await file.close()
    }
  })

  it('returns a few bytes that keep nothing of what was read ahead', async () => {
    const file = await FileBytes.open(await write('few', Buffer.alloc(300_000)))
    try {
      const bytes = await file.read(10, 20)
      expect(bytes.buffer.byteLength).to.equal(10)
    } finally {
      await file.close()
    }
  })
})
