import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { openSource, type SourceOptions } from '../../../lib/sources/open-source.ts'
import { FormatUnknown } from '../../../lib/sources/source-error.ts'
import { failure, slices } from './support.ts'

describe('openSource', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sources-'))
  })
  after(() => rm(folder, { recursive: true }))

  async function file(name: string, content: string | Buffer): Promise<string> {
    const path = join(folder, name)
    await writeFile(path, content)
    return path
  }

  async function rowsOf(path: string, options?: SourceOptions) {
    const { rows, ...source } = await openSource(path, options)
    return { ...source, rows: (await rows.toArray()) as unknown[] }
  }

  const stdin = (text: string | Buffer, step = 1) => ({
    stdin: Readable.from(slices(Buffer.from(text as string), step), { objectMode: false }),
  })

  it('goes by the extension, and gives the header of a CSV file', async () => {
    expect(await rowsOf(await file('b.csv', 'a,b\n1,2\n'))).to.deep.include({
      format: 'csv',
      header: ['a', 'b'],
      rows: [{ a: '1', b: '2' }],
    })
    expect(await rowsOf(await file('a.NDJSON', '{"a":1}'))).to.deep.include({
      format: 'ndjson',
      rows: [{ a: 1 }],
    })
    expect(await rowsOf(await file('a.jsonl', '{"a":1}'))).to.deep.include({ format: 'ndjson' })
    expect(await rowsOf(await file('a.json', '[{"a":1}]'))).to.deep.include({
      format: 'json',
      rows: [{ a: 1 }],
    })
  })

  it('lets --format overrule the extension', async () => {
    expect(await rowsOf(await file('c.json', '{"a":1}'), { format: 'ndjson' })).to.deep.include({
      rows: [{ a: 1 }],
    })
  })

  const sniffed: [format: string, text: string][] = [
    ['csv', 'a\n1\n'],
    ['ndjson', ' \n {"a":1}\n'],
    ['json', '\n\t[{"a":1}]'],
  ]
  for (const [format, text] of sniffed) {
    it(`tells ${format} on standard input by its first character, with a byte order mark or without, packed or not`, async () => {
      for (const content of [text, `\ufeff${text}`, gzipSync(text), gzipSync(`\ufeff${text}`)]) {
        const source = await rowsOf('-', stdin(content))
        expect(source).to.include({ format, name: 'standard input' })
        expect(source.rows).to.have.length(1)
      }
    })
  }

  it('unpacks gzip whatever the name says, also several members in one file', async () => {
    const packed = Buffer.concat([gzipSync('a\n1\n'), gzipSync('2\n')])
    expect((await rowsOf(await file('d.csv', packed))).rows).to.deep.equal([{ a: '1' }, { a: '2' }])
    expect((await rowsOf(await file('e.csv.gz', 'a\n1\n'))).rows).to.deep.equal([{ a: '1' }])
  })

  it('fails on gzip that is cut off, and does not end as if all rows were read', async () => {
    const text = `a\n${Array.from({ length: 5000 }, (_, i) => Math.sin(i)).join('\n')}\n`
    const path = await file('f.csv.gz', gzipSync(text).subarray(0, 20_000))
    expect(await failure(rowsOf(path))).to.equal(
      `${path}: the gzip data ends in the middle (a truncated file?)`,
    )
  })

  it('fails on gzip that is damaged', async () => {
    const packed = gzipSync('a\n1\n')
    packed[15]! ^= 0xff
    expect(await failure(rowsOf('-', stdin(packed, 100)))).to.equal(
      'standard input: the gzip data is damaged',
    )
  })

  const untold: [title: string, content: string | Buffer, why: RegExp][] = [
    ['nothing', '', /there is nothing in it/],
    ['blanks', ' \n\n', /there is nothing in it/],
    ['a Parquet file', 'PAR1\x15\x04', /it looks like a Parquet file/],
    ['a zip archive', 'PK\x03\x04', /it looks like a zip archive/],
    ['other bytes', 'ab\0cd', /it is not text/],
  ]
  for (const [title, content, why] of untold) {
    it(`says that it cannot tell the format of ${title}`, async () => {
      const error = await openSource('-', stdin(content, 1000)).catch(error => error)
      expect(error).to.be.instanceOf(FormatUnknown)
      expect(error.message)
        .to.match(/^standard input: cannot tell the format, .*; name it with --format$/)
        .and.match(why)
    })
  }

  it('rejects an empty CSV file at once', async () => {
    const path = await file('g.csv', '')
    expect(await failure(openSource(path))).to.equal(`${path}: there is nothing in it, not even a header`)
  })

  it('rejects a missing file and a directory with the error of the file system', async () => {
    expect(await openSource(join(folder, 'missing.csv')).catch(error => error.code)).to.equal('ENOENT')
    expect(await openSource(folder).catch(error => error.code)).to.equal('EISDIR')
  })

  for (const step of [1, 2, 3, 100]) {
    it(`fails on bytes that are not UTF-8 instead of replacing them, in chunks of ${step}`, async () => {
      const latin1 = Buffer.from('a,b\n1,caf\xe9\n2,x\n', 'latin1')
      expect(
        await failure(openSource('-', stdin(latin1, step)).then(source => source.rows.toArray())),
      ).to.equal('standard input: not valid UTF-8, near byte 10; convert it first, with iconv for example')
    })
  }

  it('recognizes UTF-16', async () => {
    const utf16 = Buffer.from('\ufeffa,b\n1,2\n', 'utf16le')
    const path = await file('h.csv', utf16)
    expect(await failure(rowsOf(path))).to.match(/not valid UTF-8, it looks like UTF-16/)
  })

  it('keeps an error that comes before anyone reads the rows for the one who does', async () => {
    const { rows } = await openSource(await file('i.csv', 'a,b\n1,2\n3\n'))
    await delay(20)
    expect(await failure(rows.toArray())).to.match(/line 3 has 1 field/)
  })

  it('closes the file when its rows are destroyed', async () => {
    const input = stdin(`a\n${'1\n'.repeat(100_000)}`, 1000)
    const { rows } = await openSource('-', input)
    rows.destroy()
    while (!input.stdin.destroyed) await delay(1)
  })
})
