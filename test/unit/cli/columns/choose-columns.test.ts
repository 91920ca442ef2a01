import { Readable } from 'node:stream'
import { expect } from 'chai'
import { chooseColumns } from '../../../../lib/cli/columns/choose-columns.ts'

const table = (...names: string[]) => ({
  name: 't',
  columns: names.map(name => ({
    name: name.replace(/^[!#]/, ''),
    generated: name.startsWith('!'),
    identity: name.startsWith('#') ? ('always' as const) : ('none' as const),
  })),
})
const csv = (header: string[], headless = false) =>
  ({
    name: 'f.csv',
    format: 'csv',
    header,
    headless,
    rows: Readable.from([]),
    notes: [],
    description: '',
  }) as const
const json = { name: 'f.json', format: 'json', rows: Readable.from([]), notes: [], description: '' } as const
const map = (entries: Record<string, string>) => new Map(Object.entries(entries))

const unnamed = { ...csv(['column_1', 'Order ID', 'a']), unnamed: ['column_1'] }

describe('the choice of columns', () => {
  it('skips a column without a name when --columns names the others', () => {
    const choose = (columns: string[]) =>
      chooseColumns(unnamed, table('column_1', 'order id', 'a'), { columns })
    expect(choose(['order id', 'a']).columns).to.deep.equal(['order id', 'a'])
    expect(choose(['a']).rename!({ column_1: '0', 'Order ID': '1', a: '2' })).to.deep.equal({ a: '2' })
    expect(() => choose(['column_1', 'a'])).to.throw(/--columns names "column_1", which is not in f\.csv/)
  })

  it('has no field for a generated column if there is no header', () => {
    const { columns } = chooseColumns(csv(['column_1', 'column_2'], true), table('#id', 'a', '!b', 'c'), {})
    expect(columns).to.deep.equal(['a', 'c'])
  })

  it('accepts names that are those of the columns', () => {
    const choice = chooseColumns(csv(['b', 'a']), table('a', 'b', 'c'), {})
    expect(choice).to.deep.include({ columns: ['b', 'a'], rename: undefined, notes: [] })
  })

  it('matches names that differ in case, spaces and punctuation, and reports it', () => {
    const { columns, rename, notes } = chooseColumns(
      csv(['Order Id', 'note', 'UNIT-PRICE ($)']),
      table('order_id', 'note', 'unitPrice'),
      {},
    )
    expect(columns).to.deep.equal(['order_id', 'note', 'unitPrice'])
    expect(rename!({ 'Order Id': '1', note: 'x', 'UNIT-PRICE ($)': '2' })).to.deep.equal({
      order_id: '1',
      note: 'x',
      unitPrice: '2',
    })
    expect(notes).to.deep.equal([
      'f.csv: took "Order Id" for column "order_id", "UNIT-PRICE ($)" for column "unitPrice"',
    ])
  })

  it('prefers the same name and --map to a similar name', () => {
    const { columns, notes } = chooseColumns(csv(['ID', 'id', 'when']), table('id', 'Id', 'at'), {
      map: map({ when: 'at' }),
    })
    expect(columns).to.deep.equal(['Id', 'id', 'at'])
    expect(notes).to.deep.equal(['f.csv: took "ID" for column "Id"'])
  })

  it('skips columns that --columns does not name, also by their name in the file', () => {
    const { columns, rename } = chooseColumns(csv(['Order Id', 'x', 'note']), table('order_id', 'note'), {
      columns: ['note', 'order_id'],
    })
    expect(columns).to.deep.equal(['note', 'order_id'])
    expect(rename!({ 'Order Id': '1', x: 'y', note: 'z' })).to.deep.equal({ order_id: '1', note: 'z' })
  })

  it("uses the order of --columns, or of the table's insertable columns, if there is no header", () => {
    const first = chooseColumns(csv(['column_1', 'column_2'], true), table('a', '!sum', 'b'), {})
    expect(first.rename!({ column_1: '1', column_2: '2' })).to.deep.equal({ a: '1', b: '2' })
    const second = chooseColumns(csv(['column_1'], true), table('a', 'b'), { columns: ['b'] })
    expect(second.rename!({ column_1: '1' })).to.deep.equal({ b: '1' })
  })

  it('matches the keys of JSON rows as it matches a header', () => {
    const { columns, rename, pairs, matches } = chooseColumns(
      json,
      table('user_id', 'Unit Price', 'note'),
      {},
    )
    const notes: string[] = []
    matches!.onGuess = note => notes.push(note)
    expect(columns).to.equal(undefined)
    const exact = { user_id: 1, note: 'x' }
    expect(rename!(exact)).to.equal(exact)
    expect(rename!({ userId: 1, unitPrice: 2, other: 3 })).to.deep.equal({
      user_id: 1,
      'Unit Price': 2,
      other: 3,
    })
    expect(rename!({ UserID: 1 })).to.deep.equal({ user_id: 1 })
    expect(pairs).to.deep.equal([
      ['userId', 'user_id'],
      ['unitPrice', 'Unit Price'],
      ['UserID', 'user_id'],
    ])
    expect(notes[0]).to.equal('f.json: took "userId" for column "user_id"')
    expect(notes).to.have.length(3)
  })

  it('guesses no column that the row names itself, that --map names, or that could be another one', () => {
    const { rename } = chooseColumns(json, table('user_id', 'b', 'a_1', 'a1'), { map: map({ x: 'b' }) })
    expect(rename!({ userId: 1, user_id: 2 })).to.deep.equal({ userId: 1, user_id: 2 })
    expect(rename!({ B: 1 })).to.deep.equal({ B: 1 })
    expect(rename!({ ['__proto__']: 1, x: 2 })).to.deep.equal({ ['__proto__']: 1, b: 2 })
    expect(() => rename!({ userId: 1, UserId: 2 })).to.throw('two keys for the column "user_id"')
    expect(() => rename!({ A1: 1 })).to.throw('"A1" could be the column "a_1" or "a1"; say which, with --map')
  })

  it('renames the keys of JSON rows by --map', () => {
    const { columns, rename } = chooseColumns(json, table('a', 'b'), { map: map({ x: 'a' }) })
    expect(columns).to.equal(undefined)
    expect(rename!({ x: 1, b: 2, B: 3 })).to.deep.equal({ a: 1, b: 2, B: 3 })
    expect(() => rename!({ a: 0, x: 1 })).to.throw('f.json: a row has two keys for the column "a"')
  })

  const mistakes: [title: string, choose: () => unknown, message: RegExp][] = [
    [
      'a name that two columns are like',
      () => chooseColumns(csv(['Order Id']), table('order_id', 'orderid'), {}),
      /"Order Id" could be the column "order_id" or "orderid"; say which, with --map "NAME=column"/,
    ],
    [
      'two names that are like one column',
      () => chooseColumns(csv(['Order Id', 'ORDER-ID']), table('order_id'), {}),
      /column "order_id" could be "Order Id" or "ORDER-ID"; say which, with --map/,
    ],
    [
      'a --map of a name that is not there',
      () => chooseColumns(csv(['when', 'id']), table('id', 'at'), { map: map({ wen: 'at' }) }),
      /--map names "wen", which is not in f.csv, whose header has: when, id; did you mean "when"\?/,
    ],
    [
      'a --map to a column that is not there',
      () => chooseColumns(csv(['when']), table('id', 'at'), { map: map({ when: 'ta' }) }),
      /--map names "ta", which is not a column of t; its columns are: id, at/,
    ],
    [
      'more fields than columns',
      () => chooseColumns(csv(['column_1', 'column_2'], true), table('a'), {}),
      /its records have 2 fields, t has 1 column; name those in the file, .* with --columns/,
    ],
  ]
  mistakes.push(
    [
      'a column of the header that the server generates',
      () => chooseColumns(csv(['Id', 'a', 'B']), table('#id', 'a', 'b'), {}),
      /^f\.csv: the header names "Id", which t generates itself \(GENERATED ALWAYS AS IDENTITY\); --identity keep writes the file's values, or name the others with --columns a,b$/,
    ],
    [
      'a column of --columns that the server generates',
      () => chooseColumns(csv(['id', 'a']), table('!id', 'a'), { columns: ['a', 'id'] }),
      /^--columns names "id", which t generates itself \(GENERATED ALWAYS AS \(expression\)\); leave it out$/,
    ],
    [
      'a column without a name, without --columns',
      () => chooseColumns(unnamed, table('column_1', 'order id', 'a'), {}),
      /^f\.csv: column 1 of 3 has no name in the header; to skip it, name the others with --columns 'order id,a'$/,
    ],
  )
  for (const [title, choose, message] of mistakes) {
    it(`refuses ${title}`, () => {
      expect(choose).to.throw(message)
    })
  }
})
