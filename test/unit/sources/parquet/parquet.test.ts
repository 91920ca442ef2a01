import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { expect } from 'chai'
import type { CompressionCodec } from 'hyparquet'
import { type Block, valueAt } from '../../../../lib/columnar/block.ts'
import { openSource } from '../../../../lib/sources/open-source.ts'
import { useFolder } from '../../../support/folder.ts'
import { type Element, numbered, parquetOf } from '../../../support/parquet.ts'
import { readParquet } from './parquet-support.ts'

const TEXT: Element = { type: 'BYTE_ARRAY', converted_type: 'UTF8' }
const NUMBER: Element = { type: 'INT32' }
const LIST: Element[] = [
  { converted_type: 'LIST', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', ...NUMBER },
]

describe('a Parquet file', () => {
  const write = useFolder()
  const read = (content: Buffer) => readParquet(write, content)

  for (const codec of [
    'UNCOMPRESSED',
    'SNAPPY',
    'GZIP',
    'BROTLI',
    'ZSTD',
    'LZ4',
    'LZ4_RAW',
  ] as CompressionCodec[]) {
    it(`is unpacked by ${codec}, over several row groups and pages`, async () => {
      const { rows } = await read(numbered(3000, { codec, rowGroupSize: 1100, pageSize: 1000 }))
      expect(rows).to.deep.equal(
        Array.from({ length: 3000 }, (_, i) => ({ id: i + 1, note: `row ${i + 1}` })),
      )
    })
  }

  for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'ZSTD'] as CompressionCodec[]) {
    it(`keeps the values of its rows while later ones are read into the memory of the pages, ${codec}`, async () => {
      const count = 40_000
      const make: Record<string, (i: number) => unknown> = {
        plainText: i => `text ${i} ${'x'.repeat(i % 40)}`,
        plainNumber: i => i * 7,
        sharedText: i => (i % 11 === 3 ? null : `shared ${(i * 31) % 700}`),
        sharedNumber: i => (i * 17) % 300,
      }
      const columns = Object.entries(make).map(([name, contentOf]) => ({
        name,
        schema: [name.endsWith('Text') ? TEXT : NUMBER],
        data: Array.from({ length: count }, (_, i) => contentOf(i)),
        encoding: name.startsWith('plain') ? 'PLAIN' : 'RLE_DICTIONARY',
      }))
      const path = await write('a.parquet', parquetOf(columns, { codec, pageSize: 20_000 }))
      const blocks: Block[] = []
      for await (const batch of (await openSource(path)).blocks!) blocks.push(...(batch as Block[]))
      let row = 0
      for (const block of blocks) {
        for (let at = 0; at < block.length; at++, row++) {
          for (const [column, { name, data }] of columns.entries()) {
            const value = valueAt(block, column, at)
            if (value !== data[row])
              expect({ name, row, value }).to.deep.equal({ name, row, value: data[row] })
          }
        }
      }
      expect(row).to.equal(count)
    })
  }

  it('is read ahead by 16 batches of small rows, and by one of large rows or of lists', async () => {
    const aheadOf = async (content: Buffer) => {
      const { blocks } = await openSource(await write('a.parquet', content))
      blocks!.destroy()
      return blocks!.readableHighWaterMark
    }
    expect(await aheadOf(numbered(3000))).to.equal(16)
    const data = Array.from({ length: 600 }, (_, i) => `${i} ${'x'.repeat(10_000)}`)
    expect(await aheadOf(parquetOf([{ name: 'note', schema: [TEXT], data }]))).to.equal(1)
    expect(await aheadOf(parquetOf([{ name: 'list', schema: LIST, data: [[1], [2, 3]] }]))).to.equal(1)
  })

  it('is read ahead a batch at a time, so that other events are handled in between', async () => {
    const { blocks } = await openSource(await write('a.parquet', numbered(3000)), { batchRows: 100 })
    await once(blocks!, 'readable')
    const before = blocks!.readableLength
    let turns = 0
    while (blocks!.readableLength < 16 && turns < 100) {
      await new Promise(setImmediate)
      turns++
    }
    expect(turns).to.be.within(16 - before, 99)
    blocks!.destroy()
  })

  for (const codec of ['SNAPPY', 'GZIP', 'BROTLI', 'ZSTD', 'LZ4', 'LZ4_RAW'] as CompressionCodec[]) {
    it(`may have pages without values, packed by ${codec}`, async () => {
      const note: null[] = Array(100).fill(null)
      const { rows } = await read(
        parquetOf([{ name: 'note', schema: [{ type: 'INT32' }], data: note }], { codec }),
      )
      expect(rows).to.deep.equal(note.map(() => ({ note: null })))
    })
  }

  it('is recognised by its first bytes or by --format; text that starts alike is text', async () => {
    const open = async (...words: Parameters<typeof openSource>) => {
      const { rows, ...source } = await openSource(...words)
      rows.destroy()
      return source
    }
    const content = numbered(3)
    for (const name of ['data', 'data.csv']) {
      expect((await open(await write(name, content))).format).to.equal('parquet')
    }
    expect((await open(await write('b.parquet', content), { format: 'parquet' })).format).to.equal('parquet')
    const csv = await open(await write('par.csv', Buffer.from('PAR1,b\n1,2\n')))
    expect(csv).to.deep.include({ format: 'csv', header: ['PAR1', 'b'] })
  })

  const lengthsOf = (arrays: Block[][]) =>
    arrays.map(array => array.reduce((sum, { length }) => sum + length, 0))

  for (const encoding of ['PLAIN', 'RLE_DICTIONARY']) {
    for (const rowGroupSize of [30, 1]) {
      it(`ends an array of blocks at a megabyte, ${encoding}, row groups of ${rowGroupSize} rows`, async () => {
        // every third value is NULL, so that rows and values have different indexes
        const note = Array.from({ length: 30 }, (_, i) =>
          i % 3 === 0 ? null : `${i % 7}${'x'.repeat(400_000)}`,
        )
        const id = note.map((_, i) => i)
        const columns = [
          { name: 'id', schema: [NUMBER], data: id },
          { name: 'note', schema: [TEXT], data: note, encoding },
        ]
        const { blocks } = await openSource(await write('b.parquet', parquetOf(columns, { rowGroupSize })))
        const arrays: Block[][] = await blocks!.toArray()
        expect(Math.max(...lengthsOf(arrays))).to.be.within(2, 8)
        const read = arrays
          .flat()
          .flatMap(block =>
            Array.from({ length: block.length }, (_, row) => [
              valueAt(block, 0, row),
              valueAt(block, 1, row),
            ]),
          )
        expect(read).to.deep.equal(id.map(i => [i, note[i]]))
      })
    }
  }

  it('ends an array of blocks at a megabyte of lists, whose page is small', async () => {
    const data = Array.from({ length: 400 }, () => Array(1000).fill(7))
    const path = await write('b.parquet', parquetOf([{ name: 'list', schema: LIST, data }]))
    const { blocks } = await openSource(path)
    const lengths = lengthsOf(await blocks!.toArray())
    expect(Math.max(...lengths)).to.be.within(100, 300)
    expect(lengths.reduce((sum, length) => sum + length, 0)).to.equal(400)
  })

  it('has all of its bytes counted at the end', async () => {
    const path = await write('b.parquet', numbered(3000))
    let raw: { bytesRead?: number } | undefined
    const { rows } = await openSource(path, { onOpen: opened => (raw = opened as { bytesRead?: number }) })
    const all = await rows.toArray()
    expect(all).to.have.length(3000)
    expect(raw!.bytesRead).to.equal(numbered(3000).length)
  })

  it('without rows gives its columns', async () => {
    const { rows, header } = await read(numbered(0))
    expect({ rows, header }).to.deep.equal({ rows: [], header: ['id', 'note'] })
  })

  it('reads ahead no further than it has to, and closes the file when its rows are destroyed', async () => {
    const { rows } = await openSource(
      await write('b.parquet', numbered(100_000, { rowGroupSize: 100_000, pageSize: 2000 })),
    )
    await new Promise(resolve => rows.once('readable', resolve))
    expect((rows as Readable & { bytesRead: number }).bytesRead).to.be.below(20_000)
    await new Promise(resolve => rows.once('close', resolve).destroy())
  })
})
