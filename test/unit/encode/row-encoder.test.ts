import { expect } from 'chai'
import { canBeBinary, makeRowEncoder, ValueError } from '../../../lib/encode/row-encoder.ts'
import { ByteBuffer } from '../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../lib/encode/wire/slabs.ts'
import type { Column } from '../../../lib/types.ts'
import { column } from '../../support/column.ts'

function encode(
  format: 'binary' | 'text',
  columns: Column[],
  row: object,
  staging?: { shape: number },
): string {
  const encoder = makeRowEncoder({ columns, format, ...(staging ? { staging } : {}) })
  const out = new ByteBuffer(new SlabPool(4).lease())
  expect(encoder.row(out, row, 258)).to.equal(undefined)
  return out.take().toString(format === 'text' ? 'utf8' : 'hex')
}

const text = (name: string): Column => column(name, 'text')

describe('makeRowEncoder', () => {
  it('begins binary with the signature and ends it with the trailer', () => {
    const encoder = makeRowEncoder({ columns: [], format: 'binary' })
    const out = new ByteBuffer(new SlabPool().lease())
    encoder.begin(out)
    encoder.end(out)
    expect(out.take().toString('latin1')).to.equal('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\xff\xff')
  })

  it('ends a row for a staging table with its ordinal and its shape', () => {
    expect(encode('binary', [column('a', 'bool')], { a: true }, { shape: 3 })).to.equal(
      '000300000001010000000400000102000000040000' + '0003',
    )
    expect(encode('text', [column('a', 'bool')], { a: true }, { shape: 3 })).to.equal('true\t258\t3\n')
    expect(encode('text', [], {}, { shape: 0 })).to.equal('258\t0\n')
  })

  it('writes rows without fields', () => {
    expect(encode('binary', [], {})).to.equal('0000')
    expect(encode('text', [], {})).to.equal('\n')
  })

  it('writes null, undefined and missing fields as NULL', () => {
    const columns = ['a', 'b', 'c'].map(text)
    expect(encode('text', columns, { a: null, b: undefined })).to.equal('\\N\t\\N\t\\N\n')
    expect(encode('binary', columns, { a: null, b: undefined })).to.equal(`0003${'ffffffff'.repeat(3)}`)
  })

  it('writes NULL for an object whose conversion returns undefined', () => {
    for (const nothing of [{ toPostgres: () => null }, { toJSON: () => undefined }]) {
      expect(encode('text', [column('a', 'int4')], { a: nothing })).to.equal('\\N\n')
      expect(encode('binary', [column('a', 'int4')], { a: nothing })).to.equal('0001ffffffff')
    }
  })

  it('escapes the special characters of text COPY', () => {
    const long = 'x'.repeat(50)
    expect(
      encode('text', ['a', 'b', 'c', 'd'].map(text), { a: '\\N', b: '\\.', c: 'a\tb\nc\rd\\', d: '' }),
    ).to.equal('\\\\N\t\\\\.\ta\\tb\\nc\\rd\\\\\t\n')
    expect(encode('text', [text('a')], { a: `${long}\t\n\r\\é` })).to.equal(`${long}\\t\\n\\r\\\\é\n`)
    expect(encode('text', [text('a')], { a: 'é\t\n\r\\' })).to.equal('é\\t\\n\\r\\\\\n')
  })

  it('reads getters of classes and rows without a prototype', () => {
    class Row {
      get a(): string {
        return 'got'
      }
    }
    expect(encode('text', [text('a')], new Row())).to.equal('got\n')
    expect(encode('text', [text('a')], Object.assign(Object.create(null), { a: 1 }))).to.equal('1\n')
  })

  it('takes no value for a column from properties that every object inherits', () => {
    const columns = ['constructor', '__proto__', 'toString'].map(text)
    expect(encode('text', columns, {})).to.equal('\\N\t\\N\t\\N\n')
    expect(encode('binary', columns, {})).to.equal(`0003${'ffffffff'.repeat(3)}`)
    expect(
      encode('text', columns, JSON.parse('{"constructor":"c","__proto__":"p","toString":"t"}')),
    ).to.equal('c\tp\tt\n')
  })

  it('names the column that has no exact binary form, and rewinds', () => {
    const encoder = makeRowEncoder({ columns: [text('a'), column('b', 'int4')], format: 'binary' })
    const out = new ByteBuffer(new SlabPool(4).lease())
    out.putUtf8('before')
    expect(encoder.row(out, { a: 'x'.repeat(100), b: '1.0' }, 0)).to.equal('b')
    expect(out.take().toString()).to.equal('before')
  })

  for (const format of ['binary', 'text'] as const) {
    it(`throws a ValueError without the value when a value throws, and rewinds (${format})`, () => {
      const encoder = makeRowEncoder({ columns: [text('a'), text('b "q"')], format })
      const out = new ByteBuffer(new SlabPool(4).lease())
      out.putUtf8('before')
      const cause = new Error('secret')
      const bad = {
        toPostgres() {
          throw cause
        },
      }
      for (const row of [
        { a: 'x', 'b "q"': bad },
        {
          a: 'x',
          get 'b "q"'() {
            throw cause
          },
        },
      ]) {
        try {
          encoder.row(out, row, 0)
          expect.fail('did not throw')
        } catch (error) {
          expect(error).to.be.instanceOf(ValueError)
          expect(error).to.include({ column: 'b "q"', cause })
          expect((error as Error).message)
            .to.include('b \\"q\\"')
            .and.not.include('secret')
        }
      }
      expect(out.take().toString()).to.equal('before')
    })
  }

  it('sends the bytes of a view as the field of any type in binary', () => {
    const bytes = Uint8Array.of(9, 0, 0, 0, 7, 9).subarray(1, 5)
    expect(encode('binary', [column('a', 'int4')], { a: bytes })).to.equal('00010000000400000007')
    expect(encode('binary', [column('a', 'jsonb')], { a: Buffer.from('\x01{}') })).to.equal(
      '000100000003017b7d',
    )
  })

  it('sends the bytes of a view in text where they have a text', () => {
    const bytes = Uint8Array.of(0x5c, 0x78, 0xc3, 0xa9)
    expect(encode('text', [column('a', 'bytea')], { a: bytes })).to.equal('\\\\x5c78c3a9\n')
    expect(encode('text', [text('a')], { a: bytes })).to.equal('\\\\xé\n')
    expect(encode('text', [column('a', 'json')], { a: Buffer.from('{}') })).to.equal('{}\n')
    expect(encode('text', [column('a', 'jsonb')], { a: Buffer.from('\x01{}') })).to.equal('{}\n')
    const uuid = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
    expect(encode('text', [column('a', 'uuid')], { a: uuid })).to.equal(
      '00112233-4455-6677-8899-aabbccddeeff\n',
    )
    const mac = uuid.subarray(0, 6)
    expect(encode('text', [column('a', 'macaddr')], { a: mac })).to.equal('00:11:22:33:44:55\n')
  })

  it('names the column of bytes that have no text, and rewinds', () => {
    for (const [type, value] of [
      ['int4', Buffer.alloc(4)],
      ['text', Buffer.of(0xff)],
      ['jsonb', Buffer.from('{}')],
      ['uuid', Buffer.alloc(15)],
      ['macaddr8', Buffer.alloc(6)],
    ] as const) {
      const encoder = makeRowEncoder({ columns: [text('t'), column('a', type)], format: 'text' })
      const out = new ByteBuffer(new SlabPool(4).lease())
      expect(encoder.row(out, { t: 'x', a: value }, 0), type).to.equal('a')
      expect(out.length).to.equal(0)
    }
  })

  it('throws for the binary format of a type that has none', () => {
    const columns = [text('a'), column('b', 'point')]
    expect(canBeBinary(columns)).to.equal(false)
    expect(canBeBinary([text('a')])).to.equal(true)
    expect(() => makeRowEncoder({ columns, format: 'binary' })).to.throw(TypeError, 'point')
  })
})
