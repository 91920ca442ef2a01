import { dirname, join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { openSource, type SourceOptions } from '../../../lib/sources/open-source.ts'
import { FormatUnknown } from '../../../lib/sources/source-error.ts'
import { useFolder } from '../../support/folder.ts'
import { failure, slices } from './support.ts'

describe('openSource', () => {
  const file = useFolder()

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
    it(`recognises ${format} on standard input by its first character, marked or not, packed or not`, async () => {
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

  it('says that it cannot recognize the format of what is no text', async () => {
    const error = await openSource('-', stdin('ab\0cd', 1000)).catch(error => error)
    expect(error).to.be.instanceOf(FormatUnknown)
    expect(error.message).to.equal(
      'standard input: cannot recognize the format, it is not text; name it with --format',
    )
  })

  const archives: [kind: string, start: string, file: string, pipe: string][] = [
    ['a zip archive', 'PK\x03\x04\x14\0\0\0\x08\0', 'unzip -p', 'funzip'],
    ['bzip2 data', 'BZh91AY&SY', 'bzip2 -dc', 'bzip2 -dc'],
    ['xz data', '\xfd7zXZ\0\0\x04', 'xz -dc', 'xz -dc'],
  ]
  for (const [kind, start, unpackFile, unpackPipe] of archives) {
    it(`says what unpacks ${kind}, whatever it was said to be`, async () => {
      const bytes = Buffer.from(start, 'latin1')
      const refused = `it is ${kind}, which is not read here; unpack it:`
      for (const [name, format, encoding] of [
        ['k.zip', undefined, undefined],
        ['k.csv', 'csv', undefined],
        ['k.json', undefined, 'latin1'],
      ] as const) {
        const path = await file(name, bytes)
        const error = await openSource(path, { format, encoding }).catch(error => error)
        expect(error).to.be.instanceOf(FormatUnknown)
        expect(error.message).to.equal(
          `${path}: ${refused} ${unpackFile} ${path} | pg-batch load - --table TABLE`,
        )
      }
      for (const step of [1, 100]) {
        expect(await failure(openSource('-', { ...stdin(bytes, step), format: 'csv' }))).to.equal(
          `standard input: ${refused} COMMAND | ${unpackPipe} | pg-batch load - --table TABLE`,
        )
      }
    })
  }

  it('quotes the name of an archive for the shell', async () => {
    const path = await file("it's k.zip", Buffer.from('PK\x03\x04'))
    expect(await failure(openSource(path))).to.contain(`unzip -p '${path.replace("'", "'\\''")}' | pg-batch`)
  })

  it('reads CSV whose header begins as an archive does', async () => {
    for (const text of ['PK\n1\n', 'BZh,x\n1,2\n']) {
      expect((await rowsOf('-', stdin(text))).rows).to.have.length(1)
    }
  })

  it('rejects what has nothing in it', async () => {
    for (const content of ['', ' \n\n']) {
      const error = await openSource('-', stdin(content)).catch(error => error)
      expect(error.message).to.equal('standard input: there is nothing in it')
      expect(error).not.to.be.instanceOf(FormatUnknown)
    }
  })

  it('rejects an empty CSV file at once', async () => {
    const path = await file('g.csv', '')
    expect(await failure(openSource(path))).to.equal(`${path}: there is nothing in it, not even a header`)
  })

  it('rejects a missing file and a directory with the error of the file system', async () => {
    const folder = dirname(await file('there.csv', 'a\n'))
    expect(await openSource(join(folder, 'missing.csv')).catch(error => error.code)).to.equal('ENOENT')
    expect(await openSource(folder).catch(error => error.code)).to.equal('EISDIR')
  })

  for (const step of [1, 2, 3, 100]) {
    it(`fails on bytes that are not UTF-8 instead of replacing them, in chunks of ${step}`, async () => {
      const latin1 = Buffer.from('a,b\n1,caf\xe9\n2,x\n', 'latin1')
      expect(
        await failure(openSource('-', stdin(latin1, step)).then(source => source.rows.toArray())),
      ).to.be.oneOf(
        ['line 2', 'the record that ends on line 2'].map(
          what =>
            `standard input: ${what} is not valid UTF-8; ` +
            'find out how it is encoded, and name that with --encoding',
        ),
      )
    })
  }

  describe('detects the delimiter', () => {
    const sniffed: [title: string, text: string, delimiter: string, chosen: string][] = [
      ['a comma', 'a,b\n', ',', 'commas between fields, a header (see --delimiter)'],
      [
        'a comma among others',
        'id,tags|x\n1,a|b\n2,c|d\n',
        ',',
        'commas between fields, a header (see --delimiter)',
      ],
      ['a single column', 'a\n', ',', 'one column, a header (see --delimiter)'],
      ['a single column of texts', 'a\nb\nc;d\n', ',', 'one column, a header (see --delimiter)'],
      ['semicolons', 'a;b,c;d\n', ';', 'semicolons between fields, a header (see --delimiter)'],
      ['tabs', 'a\tb\n', '\t', 'tabs between fields, a header (see --delimiter)'],
      ['pipes outside quotes', '"a,,,,"|b\n', '|', 'pipes between fields, a header (see --delimiter)'],
    ]
    for (const [title, text, delimiter, expected] of sniffed) {
      it(`${title}, and says it`, async () => {
        const { header, chosen } = await rowsOf('-', stdin(text, 3))
        const [line] = text.replace(/"[^"]*"/, '').split('\n')
        expect(header).to.have.length(line!.split(delimiter).length)
        expect(chosen).to.equal(expected)
      })
    }

    it('but not where two fit equally, and names both and the option', async () => {
      const error = await openSource('-', stdin('a;b,c\n')).catch(error => error)
      expect(error).to.be.instanceOf(FormatUnknown)
      expect(error.message).to.equal(
        'standard input: commas and semicolons between fields fit equally well; ' +
          "say which, with --delimiter ',' or --delimiter ';'",
      )
    })

    it('of a pipe that falls silent by the lines that came, once there is a row', async () => {
      const input = new PassThrough()
      input.write('a;b,c\n')
      const opened = openSource('-', { stdin: input })
      input.write('1;2,5\n')
      const { header, rows } = await opened
      expect(header).to.deep.equal(['a', 'b,c'])
      rows.destroy()
    })

    it('not at all of a pipe without a header whose delimiter is known: its first row waits for no other', async () => {
      const input = new PassThrough()
      input.write('1,a\n')
      const dialect = { header: false, delimiter: ',' }
      const { rows } = await openSource('-', { stdin: input, format: 'csv', dialect, keepsMalformed: true })
      expect(await rows.take(1).toArray()).to.deep.equal([{ column_1: '1', column_2: 'a' }])
    })

    it('after comments and blank lines', async () => {
      const dialect = { comment: '#' }
      const { header } = await rowsOf('-', { ...stdin('# a,b,c\n\na;b\n1;2\n'), dialect })
      expect(header).to.deep.equal(['a', 'b'])
    })

    it('of a header longer than what is judged', async () => {
      const names = Array.from({ length: 20_000 }, (_, index) => `column ${index}`)
      const { header } = await rowsOf(await file('wide.csv', `${names.join(';')}\n`))
      expect(header).to.deep.equal(names)
    })

    it('unless there is no tab in a file whose name says tabs', async () => {
      const path = await file('comma.tsv', 'a,b\n1,2\n')
      expect(await failure(openSource(path))).to.equal(
        `${path}: its name says tabs between fields, and its records have commas; ` +
          "say which, with --delimiter ',' or --delimiter tab",
      )
      const named = await rowsOf(path, { dialect: { delimiter: '\t' } })
      expect(named.header).to.deep.equal(['a,b'])
      expect((await rowsOf(path, { format: 'tsv' })).header).to.deep.equal(['a,b'])
      expect((await rowsOf(await file('one.tsv', 'a\nb\n'))).header).to.deep.equal(['a'])
    })

    it('unless it was named, or the name of the file says tabs', async () => {
      const named = await rowsOf('-', { ...stdin('a;b,c\n'), dialect: { delimiter: ',' } })
      expect(named).to.deep.include({ header: ['a;b', 'c'], chosen: undefined })
      const tsv = await rowsOf(await file('t.tsv', 'a,b,c\td\n1\t2\n'))
      expect(tsv).to.deep.include({ header: ['a,b,c', 'd'], chosen: undefined, format: 'csv' })
    })
  })

  it('reads a file without a header, and says how the columns are called', async () => {
    const source = await rowsOf('-', { ...stdin('1,2\n'), dialect: { header: false } })
    expect(source).to.deep.include({
      header: ['column_1', 'column_2'],
      headless: true,
      rows: [{ column_1: '1', column_2: '2' }],
    })
  })

  it('reads blank lines without a header as rows of one column, also if nothing else shows CSV', async () => {
    for (const source of [stdin('\n\n'), { ...stdin('\n\n'), format: 'csv' as const }]) {
      const { rows } = await rowsOf('-', { ...source, dialect: { header: false } })
      expect(rows).to.deep.equal([{ column_1: null }, { column_1: null }])
    }
    const nothing = openSource('-', { ...stdin(''), dialect: { header: false } })
    expect(await failure(nothing)).to.equal('standard input: there is nothing in it')
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
