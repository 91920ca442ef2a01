import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('what pg-batch prints for values in the spelling of another program', () => {
  const database = useDatabase()
  const file = useFolder()

  before(() =>
    database.pool.query(`CREATE TYPE mood AS ENUM ('happy', 'sad');
      CREATE TABLE found (id int, price numeric(9,2), seen date, at timestamptz, ok boolean, m mood);
      CREATE VIEW shown AS SELECT DISTINCT id FROM found`),
  )

  async function load(input: string, ...words: string[]): Promise<string> {
    const all = ['load', '-', '-t', 'found', '-f', 'csv', '--delimiter', ';', ...words]
    return (await run(all, { DATABASE_URL: database.connectionString }, input)).stderr
  }

  const AS_TEXT = 'load it into a text column, and convert it there'
  const KEEPS = '--rejects FILE keeps such rows; nothing committed\n'
  const spellings: [column: string, fault: string, hint: string, values: string[]][] = [
    [
      'price',
      'not a valid numeric(9,2) for "price" (22P02)',
      'if the comma begins its decimals: --decimal-separator ,',
      ['12,5', '-0,50', '1234,567'],
    ],
    [
      'price',
      'not a valid numeric(9,2) for "price" (22P02)',
      `if the comma begins its decimals: --decimal-separator ,; if it has thousands separators: ${AS_TEXT}`,
      ['1,234', '-12,345'],
    ],
    [
      'price',
      'not a valid numeric(9,2) for "price" (22P02)',
      `if it has thousands separators: ${AS_TEXT}`,
      ['1,234,567', '1.234,56', "1'000", '12 345,00'],
    ],
    [
      'price',
      'not a valid numeric(9,2) for "price" (22P02)',
      `it has the sign of a currency: ${AS_TEXT}`,
      ['$12.50', '12.50 €', '£1,234.50'],
    ],
    [
      'price',
      'not a valid numeric(9,2) for "price" (22P02)',
      `it has a percent sign: ${AS_TEXT}`,
      ['12%', '1.5 %'],
    ],
    [
      'price',
      'not a valid numeric(9,2) for "price" (22P02)',
      `its minus comes last: ${AS_TEXT}`,
      ['12.50-', '7-'],
    ],
    [
      'id',
      'not a valid integer for "id" (22P02)',
      'it has decimals or an exponent, which a numeric column takes',
      ['1.0', '1e5', '-2.'],
    ],
    [
      'ok',
      'not a valid boolean for "ok" (22P02)',
      'a boolean is true, t, yes, y, on or 1, or false, f, no, n, off or 0',
      ['ja', 'WAHR', 'não'],
    ],
    [
      'at',
      'out of the range of timestamp with time zone for "at" (22008)',
      'if it counts seconds since 1970: load it into a numeric column; to_timestamp() converts it',
      ['1735689600'],
    ],
    [
      'at',
      'out of the range of timestamp with time zone for "at" (22008)',
      'if it counts milliseconds since 1970: load it into a numeric column; to_timestamp(x / 1000.0) converts it',
      ['1735689600000'],
    ],
    [
      'm',
      'not a valid mood for "m" (22P02)',
      'its values: SELECT enum_range(NULL::mood)',
      ['Happy', 'happy '],
    ],
    [
      'seen',
      'out of the range of date for "seen" (22008)',
      'if its dates begin with the day, set PGDATESTYLE=DMY',
      ['31.12.2025', '31/12/2025', '31-12-25'],
    ],
  ]
  for (const [column, fault, hint, values] of spellings) {
    it(`such as ${values[0]} for ${column}`, async () => {
      for (const value of values) {
        expect(await load(`${column}\n${value}\n`), value).to.equal(
          `pg-batch: standard input: row 1 (line 2): ${fault}; ${hint}; ${KEEPS}`,
        )
      }
    })
  }

  for (const format of ['ndjson', 'json', 'replay']) {
    it(`and the same for ${format}, without the options that only CSV has`, async () => {
      const command = format === 'replay' ? ['replay'] : ['load', '--format', format]
      for (const [column, hint, values] of [
        ['price', `if it has thousands separators: ${AS_TEXT}`, ['1,234', '1,234,567', '1.234,56']],
        ['price', `it has the sign of a currency: ${AS_TEXT}`, ['€1']],
        ['ok', 'a boolean is true, t, yes, y, on or 1, or false, f, no, n, off or 0', ['ja']],
        ['seen', 'if its dates begin with the day, set PGDATESTYLE=DMY', ['31.12.2025', '31/12/2025']],
        ['at', 'to_timestamp(x / 1000.0) converts it', [1735689600000, '1735689600000']],
        ['m', 'its values: SELECT enum_range(NULL::mood)', ['Happy']],
        ['id', 'it has decimals or an exponent, which a numeric column takes', [1.5, '1.0']],
        ['price', `not a valid numeric(9,2) for "price" (22P02)`, ['12,5', 'N/A', '']],
      ] as [string, string, unknown[]][]) {
        for (const value of values) {
          const rows = await file('rows.ndjson', JSON.stringify({ [column]: value }))
          const words = [...command, rows, '-t', 'found']
          const { stderr } = await run(words, { DATABASE_URL: database.connectionString })
          expect(stderr, String(value)).to.contain(`${hint}; --rejects FILE keeps such rows`)
        }
      }
    })
  }

  it('and nothing where no spelling is known, or its option is given', async () => {
    const other = '; --rejects FILE keeps such rows and loads the others; nothing committed\n'
    for (const [input, ...words] of [
      ['price\n12x\n'],
      ['id\nx1\n'],
      ['ok\nmaybe\n'],
      ['price\n12,5\n', '--decimal-separator', '.'],
    ] as [string, ...string[]][]) {
      expect(await load(input, ...words), input)
        .to.match(/ \(22P02\);/)
        .and.to.contain(other)
    }
  })

  it('and does not advise --rejects where rejected rows have a limit already', async () => {
    const words = ['--reject-limit', '0']
    expect(await load('seen\n31.12.2025\n', ...words)).to.contain(
      'if its dates begin with the day, set PGDATESTYLE=DMY; nothing committed',
    )
    expect(await load('m\nHappy\n', ...words)).to.contain('enum_range(NULL::mood); nothing committed')
  })

  it('and for a view that takes no rows', async () => {
    const words = ['load', '-', '-t', 'shown']
    expect((await run(words, { DATABASE_URL: database.connectionString }, 'id\n1\n')).stderr).to.equal(
      'pg-batch: shown: cannot insert into view "shown" (55000); ' +
        'load into the table that it reads, or give it an INSTEAD OF trigger; nothing committed\n',
    )
  })
})
