import { Readable } from 'node:stream'
import { expect } from 'chai'
import { readCopyText } from '../../../../lib/sources/copy-text/read-copy-text.ts'

describe('readCopyText', () => {
  const options = { delimiter: '\t', nulls: ['\\N'], header: true }

  async function rowsOf(chunks: readonly string[]): Promise<unknown[]> {
    const lines = readCopyText('rows', options, () => {})
    return await Readable.from(chunks.map(text => Buffer.from(text)))
      .pipe(lines)
      .toArray()
  }

  it('waits for what follows a return that is the last byte so far', async () => {
    const name = 'x'.repeat(65_535)
    for (const end of ['\r', '\r\n']) {
      const [head, ...rest] = [`${name}\r`, end.slice(1), `1${end}2${end}`].filter(text => text !== '')
      expect(await rowsOf([head!, ...rest]), JSON.stringify(end)).to.deep.equal([
        { [name]: '1' },
        { [name]: '2' },
      ])
    }
    expect(await rowsOf([`${name}\r`])).to.deep.equal([])
  })
})
