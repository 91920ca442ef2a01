import { once } from 'node:events'
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchError } from '../../../../lib/errors.ts'
import type { RejectedRow } from '../../../../lib/write/rejects/dead-letter.ts'
import { ndjsonDeadLetter } from '../../../../lib/write/rejects/ndjson-dead-letter.ts'

class Base {
  get inherited(): number {
    return 3
  }
}
class Measured extends Base {
  own = 1
  get got(): number {
    return 2
  }
}

describe('ndjsonDeadLetter', () => {
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-batch-ndjson-'))
    path = join(folder, 'rejected.ndjson')
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('refuses a path that is missing or empty, before a row is rejected', () => {
    for (const wrong of [undefined, '', 5, { file: 'x' }]) {
      expect(() => ndjsonDeadLetter(wrong as never)).to.throw(
        TypeError,
        'Expected `path` to be the path of a file',
      )
    }
  })

  const rejected = (row: unknown, more: Partial<RejectedRow> = {}): RejectedRow => ({
    row,
    item: row,
    values: {},
    withoutText: {},
    batchId: 3,
    index: 7,
    error: new PgBatchError('REFUSED', 'said to all', {
      outcome: 'rolled-back',
      sqlState: '23514',
      column: 'n',
      constraint: 'n_check',
      cause: Object.assign(new Error('said by the server'), { severity: 'ERROR', code: '23514' }),
    }),
    ...more,
  })
  const write = async (...rows: RejectedRow[]) => {
    const stream = ndjsonDeadLetter(path)
    for (const row of rows) stream.write(row)
    stream.end()
    await finished(stream)
    const text = await readFile(path, 'utf8')
    expect(text).to.match(/\n$/)
    return text.trimEnd().split('\n')
  }

  it('writes a line for each row, with all that is known about it', async () => {
    const [line, ...others] = await write(
      rejected({ id: 1 }, { position: { partition: 'p', offset: 2n ** 63n - 1n } }),
    )
    expect(others).to.deep.equal([])
    expect(JSON.parse(line!)).to.deep.equal({
      batch_id: 3,
      row_index: 7,
      code: 'REFUSED',
      sqlstate: '23514',
      message: 'said by the server',
      column_name: 'n',
      constraint_name: 'n_check',
      source_partition: 'p',
      source_offset: '9223372036854775807',
      row: { id: 1 },
    })
  })

  it('writes the texts of a row, and marks a column that has none', async () => {
    const values = { id: '1', n: null }
    const [line] = await write(rejected({ id: 1 }, { values, withoutText: { doc: '[Circular *1]' } }))
    expect(JSON.parse(line!).row).to.deep.equal({
      id: '1',
      n: null,
      doc: { pg_batch_no_text: '[Circular *1]' },
    })
  })

  it('appends, and keeps the file to its owner', async () => {
    await write(rejected(1))
    expect(((await stat(path)).mode & 0o777).toString(8)).to.equal('600')
    expect(await write(rejected(2))).to.have.length(2)
    await writeFile(path, '')
    expect(await write(rejected(3), rejected(4))).to.have.length(2)
  })

  it('ends a line that a killed process has left unfinished, so that no line of its own is broken', async () => {
    await writeFile(path, '{"batch_id":1,"row_in')
    const [broken, line] = await write(rejected(1))
    expect(broken).to.equal('{"batch_id":1,"row_in')
    expect(JSON.parse(line!).row).to.equal(1)
  })

  it('closes the file when it is destroyed while the file is still being opened', async () => {
    const stream = ndjsonDeadLetter(path)
    stream.write(rejected(1))
    stream.destroy()
    await once(stream, 'close')
    expect((await stat(path)).isFile()).to.equal(true)
    const open = await Promise.all(
      (await readdir('/dev/fd')).map(fd => readlink(`/dev/fd/${fd}`).catch(String)),
    )
    expect(open).not.to.include(path)
  })

  const circular: Record<string, unknown> = { id: 1 }
  circular.self = circular
  const ODD: readonly [title: string, row: unknown, expected: unknown][] = [
    ['a bigint', { id: 2n ** 64n }, { id: '18446744073709551616' }],
    ['NUL and line ends', { label: 'a\0b\nc\u2028' }, { label: 'a\0b\nc\u2028' }],
    ['a Date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['NaN and an infinity', { a: Number.NaN, b: -1 / 0 }, { a: 'NaN', b: '-Infinity' }],
    ['a Buffer', { bytes: Buffer.from('ab') }, { bytes: { type: 'Buffer', data: [97, 98] } }],
    ['a Map and a Set', { map: new Map([['a', 1]]), set: new Set([2]) }, { map: [['a', 1]], set: [2] }],
    ['an invalid Date', { at: new Date(Number.NaN) }, { at: 'Invalid Date' }],
    ['an instance with getters', new Measured(), { own: 1, got: 2, inherited: 3 }],
    ['undefined', undefined, null],
    ['text', 'text', 'text'],
  ]
  for (const [title, row, expected] of ODD) {
    it(`writes one line of JSON for ${title}`, async () => {
      const lines = await write(rejected(row))
      expect(lines).to.have.length(1)
      expect(JSON.parse(lines[0]!).row).to.deep.equal(expected)
    })
  }

  it('keeps SQLSTATE, place and reason of a row that JSON cannot express', async () => {
    const hostile = {
      toJSON() {
        throw new Error('no')
      },
    }
    for (const row of [circular, hostile, new Date(Number.NaN)]) {
      const lines = await write(rejected(row))
      expect(JSON.parse(lines.at(-1)!)).to.include({ sqlstate: '23514', row_index: 7, batch_id: 3 })
    }
  })

  it('creates no file where nothing is rejected', async () => {
    const stream = ndjsonDeadLetter(path)
    stream.end()
    await finished(stream)
    expect(await stat(path).catch(error => error.code)).to.equal('ENOENT')
  })

  it('fails when the file cannot be opened', async () => {
    const stream = ndjsonDeadLetter(join(folder, 'nowhere', 'file'))
    stream.write(rejected(1))
    stream.end()
    expect(await finished(stream).catch(error => error.code)).to.equal('ENOENT')
  })
})
