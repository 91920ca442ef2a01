import { writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import type { Block } from '../../../../lib/columnar/block.ts'
import { openSource } from '../../../../lib/sources/open-source.ts'
import { useFolder } from '../../../support/folder.ts'
import { numbered, parquetOf } from '../../../support/parquet.ts'
import { peakResidentBytes } from '../../../support/processes/peak-memory.ts'
import { failure } from '../support.ts'
import { readParquet, utf8 } from './parquet-support.ts'

const END = /the end of the Parquet file, which says what is in it, is damaged/

/** A copy in which the name of the column `id` has the number of a field that is not known. */
function nameless(content: Buffer): Buffer {
  const file = Buffer.from(content)
  const footerAt = file.length - 8 - file.readUInt32LE(file.length - 8)
  file[file.indexOf('\x18\x02id', footerAt)] = 0x98
  return file
}

describe('a Parquet file is refused in one line', () => {
  const write = useFolder()
  const read = (content: Buffer) => readParquet(write, content)
  const content = numbered(3000, { codec: 'GZIP' })
  const cases: [title: string, name: string, content: Buffer, line: RegExp][] = [
    [
      'packed as a whole',
      'a.parquet.gz',
      gzipSync(content),
      /a packed Parquet file cannot be read from its end; unpack/,
    ],
    ['packed under another name', 'a.gz', gzipSync(content), /a packed Parquet file cannot be read/],
    ['packed by Brotli', 'a.parquet.br', brotliCompressSync(content), /a packed Parquet file cannot be read/],
    [
      'cut off',
      'b.parquet',
      content.subarray(0, -100),
      /does not end as a Parquet file does; is it cut off\?/,
    ],
    ['too short', 'c.parquet', Buffer.from('PAR1PAR1'), /does not end as a Parquet file does/],
    ['empty', 'd.parquet', Buffer.alloc(0), /does not begin as a Parquet file does/],
    ['text', 'e.parquet', Buffer.from('a,b\n1,2\n'), /does not begin as a Parquet file does/],
    [
      'encrypted',
      'f.parquet',
      Buffer.concat([Buffer.from('PARE'), content.subarray(4)]),
      /the Parquet file is encrypted/,
    ],
    [
      'damaged at its end',
      'g.parquet',
      Buffer.concat([content.subarray(0, -40), Buffer.alloc(32, 0xff), content.subarray(-8)]),
      END,
    ],
    ['without the name of a column', 'h.parquet', nameless(content), END],
  ]
  for (const [title, name, bytes, line] of cases) {
    it(`when ${title}`, async () => {
      const path = await write(name, bytes)
      const message = await failure(openSource(path))
      expect(message.startsWith(`${path}: `)).to.equal(true)
      expect(message).to.match(line)
    })
  }

  it('on standard input', async () => {
    for (const options of [{}, { format: 'parquet' as const }]) {
      const stdin = Readable.from([content], { objectMode: false })
      expect(await failure(openSource('-', { stdin, ...options }))).to.equal(
        'standard input: a Parquet file is read from its end, which a pipe cannot show; save it to a ' +
          'file and load that',
      )
    }
    const stdin = Readable.from([gzipSync(content)], { objectMode: false })
    expect(await failure(openSource('-', { stdin }))).to.match(/a Parquet file is read from its end/)
  })

  it('when a run has more values than its page, which are not counted', async () => {
    const data = Array.from({ length: 1000 }, () => 7)
    const made = parquetOf([{ name: 'n', schema: [{ type: 'INT32' }], data, encoding: 'PLAIN' }])
    // the levels: one run of 1,000, said in two bytes, of level 1
    const run = made.indexOf(Buffer.from([0xd0, 0x0f, 1]))
    expect(run).to.be.at.least(0)
    made.set([0xfe, 0xff, 0xff, 0xff, 0x0f], run)
    await write('run.parquet', made)
    expect(await failure(read(made))).to.match(/column "n": the data are damaged or cut off$/)
  })

  it('when a dictionary does not say how many values it has', async () => {
    const made = parquetOf([
      { name: 'n', schema: [utf8], data: Array(100).fill('a'), encoding: 'RLE_DICTIONARY' },
    ])
    // the header of the dictionary: the number of the first field becomes one that is not known
    const header = made.indexOf(Buffer.from([0x4c, 0x15]))
    expect(header).to.be.at.least(0)
    made[header + 1] = 0x85
    expect(await failure(read(made))).to.match(/column "n": the data are damaged or cut off$/)
  })

  describe('before it takes bytes for what they are not:', () => {
    const data = Array.from({ length: 100 }, (_, i) => i)
    const column = (name: string) => ({ name, schema: [{ type: 'INT32' as const }], data, encoding: 'PLAIN' })
    const made = parquetOf([column('a'), column('b')])
    const changed = (bytes: readonly number[], at: number, byte: number) => {
      const file = Buffer.from(made)
      const found = file.indexOf(Buffer.from(bytes))
      expect(found).to.be.at.least(0)
      file[found + at] = byte
      return file
    }
    // a header begins with the type of the page; numbers are doubled
    const page = [0x15, 6, 0x15]
    const cases: [title: string, file: Buffer][] = [
      ['pages of the next column, after a page of an index', changed(page, 1, 2)],
      ['a page of data, as a dictionary', changed(page, 1, 4)],
      ['integers, as another type', changed([0x1c, 0x15, 2, 0x19], 2, 8)],
      ['pages, as packed by a codec that there is not', changed([1, 0x61, 0x15, 2, 0x16], 3, 80)],
    ]
    for (const [title, file] of cases) {
      it(title, async () => {
        expect(await failure(read(file))).to.match(/column "a": the data are damaged or cut off$/)
      })
    }
  })

  describe('without the memory that it asks for, when lists within lists are longer than the file:', () => {
    // a field, and in it five lists of 33 million lists
    const lists = Buffer.from([
      0xf9,
      ...Array.from({ length: 5 }, () => [0xf9, 0xff, 0xff, 0xff, 0x0f]).flat(),
    ])
    const end = content.subarray(-8)
    const footerAt = content.length - 8 - end.readUInt32LE(0)
    const footer = content.subarray(footerAt)
    const header = Buffer.concat([content.subarray(0, 4), lists, content.subarray(4 + lists.length)])
    const cases: [title: string, file: Buffer, line: RegExp][] = [
      ['its end', Buffer.concat([content.subarray(0, footerAt), lists, footer.subarray(lists.length)]), END],
      ['the header of a page', header, /column "id": the data are damaged or cut off$/],
    ]
    for (const [title, file, line] of cases) {
      it(title, async () => {
        const before = peakResidentBytes()
        expect(await failure(read(file))).to.match(line)
        expect(peakResidentBytes() - before).to.be.below(100 * 1024 * 1024)
      })
    }
  })

  describe('when its pages are damaged', () => {
    const DAMAGED = /^.*\.parquet: row group 2, column "(id|note)": the data are damaged or cut off$/
    const openBroken = async (batchRows?: number) => {
      const made = numbered(3000, { codec: 'GZIP', rowGroupSize: 1000 })
      const path = await write('made.parquet', made)
      const broken = Buffer.from(made)
      broken.fill(0xff, made.length >> 1, (made.length >> 1) + 200)
      await writeFile(path, broken)
      return openSource(path, { batchRows })
    }

    it('after the rows before them', async () => {
      const { rows } = await openBroken()
      let count = 0
      expect(await failure(rows.forEach(() => void count++))).to.match(DAMAGED)
      expect(count).to.equal(1000)
    })

    it('after the batches before them, which were read ahead', async () => {
      const { blocks } = await openBroken(100)
      let count = 0
      const whole = blocks!.forEach(async (batch: Block[]) => {
        count += batch.reduce((sum, { length }) => sum + length, 0)
        // until the rest is read ahead, up to the damage
        while (blocks!.readableLength < (1000 - count) / 100) await turn()
      })
      expect(await failure(whole)).to.match(DAMAGED)
      expect(count).to.equal(1000)
    })
  })

  it('when a text is not UTF-8, by its column', async () => {
    const schema = [utf8]
    const made = parquetOf([{ name: 'v', schema, data: [Buffer.from('caf\xe9', 'latin1')] }])
    expect(await failure(read(made))).to.match(/row group 1, column "v": a text is not valid UTF-8$/)
  })

  it('when it names a column twice', async () => {
    const column = { name: 'v', schema: [{ type: 'INT32' as const }], data: [1] }
    expect(await failure(read(parquetOf([column, column])))).to.match(/two columns are called "v"$/)
  })

  it('when a column is packed with what cannot be unpacked', async () => {
    const made = numbered(10, { codec: 'UNCOMPRESSED' })
    const path = await write('made.parquet', made)
    const source = await openSource(path)
    source.rows.destroy()
    // LZO is 3 in the footer, UNCOMPRESSED 0: the field after the path in the schema
    for (let at = made.length - made.readUInt32LE(made.length - 8) - 8; at < made.length - 8; at++) {
      if (made[at] === 0x15 && made[at + 1] === 0 && made[at + 2] === 0x16) made[at + 1] = 6
    }
    expect(await failure(read(made))).to.match(/column "id": is packed with LZO, which cannot be read$/)
  })

  it('when a page holds more values than memory should, NULLs for example', async () => {
    const data = new Array<null>(9_000_000).fill(null)
    const file = parquetOf([{ name: 'a', schema: [{ type: 'INT32' }], data }], {
      rowGroupSize: data.length,
      pageSize: 1 << 30,
    })
    expect(file.length).to.be.below(10_000)
    expect(await failure(read(file))).to.match(
      /a page holds 9,000,000 values, and no more than 8,388,608 are read at a time/,
    )
  }).timeout(120_000)
})
