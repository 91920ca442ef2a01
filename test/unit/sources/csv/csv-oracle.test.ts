import { expect } from 'chai'
import { CsvError, type Options, parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { type DialectOptions, resolveDialect } from '../../../../lib/sources/csv/dialect.ts'
import { thorough } from '../../../support/thorough.ts'
import { readCsvRows } from '../support.ts'

/**
 * What csv-parse, by way of its slower `cast`, makes of a text without a header; undefined where it refuses
 * it.
 */
function fieldsByCsvParse(text: string, dialect: DialectOptions): (string | null)[][] | undefined {
  const { delimiter = ',', comment } = dialect
  const quote = 'quote' in dialect ? dialect.quote : '"'
  const options: Options = {
    delimiter,
    quote: quote ?? null,
    escape: quote ?? null,
    ...(comment ? { comment, comment_no_infix: true } : {}),
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
  }
  try {
    return parse(text, options) as unknown as (string | null)[][]
  } catch (error) {
    if (error instanceof CsvError) return undefined
    throw error
  }
}

const DIALECTS: readonly DialectOptions[] = [
  {},
  { delimiter: ';', quote: "'" },
  { quote: undefined },
  { comment: '#' },
]

describe('readCsv, compared with csv-parse', () => {
  for (const dialect of DIALECTS) {
    it(`reads any text as it does, or refuses it as it does: ${JSON.stringify(dialect)}`, async () => {
      let refused = 0
      const unit = fc.constantFrom(
        'a',
        'é',
        ',',
        ';',
        '"',
        "'",
        '\n',
        '\r',
        '\r\n',
        '#',
        ' ',
        '""',
        '",',
        '\n"',
      )
      const texts = fc.string({ unit, maxLength: 24 })
      await fc.assert(
        fc.asyncProperty(texts, fc.integer({ min: 1, max: 30 }), async (text, step) => {
          fc.pre(!dialect.comment || !text.includes('"#')) // there csv-parse has a comment in the middle of a line
          const theirs = fieldsByCsvParse(text, dialect)
          // every record is to be seen, also one that has other fields than the first: a field more for each
          const ours = await readLoosely(text, step, dialect).catch(error => {
            if (error.message.includes('a line end of another kind')) return 'mixed'
            expect(error.message).to.match(/^f\.csv: line \d+ /)
            return undefined
          })
          if (theirs === undefined) refused++
          // csv-parse takes line ends of all kinds also if there is one column
          if (ours === 'mixed') {
            expect(text).to.match(/\r(?!\n)/)
            if (theirs) expect(withoutBlank(theirs)[0]).to.have.length(1)
            return
          }
          expect(ours).to.deep.equal(theirs && withoutBlank(theirs))
        }),
        { numRuns: thorough(500) },
      )
      if (dialect.quote !== undefined || !('quote' in dialect)) expect(refused).to.be.above(0)
    })
  }

  it('reads any table that is written as CSV, wherever chunks end', async () => {
    const value = fc.oneof(
      fc.constant(null),
      fc.constantFrom('', ' ', '\\N', '\\.', 'NULL', '\r', '\n', '\r\n', '"', '""', '\u{1f600}'),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
    )
    const tables = fc
      .integer({ min: 1, max: 5 })
      .chain(width => fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: 1 }))
    const lineEnds = fc.constantFrom('\n', '\r\n', '\r')
    await fc.assert(
      fc.asyncProperty(tables, lineEnds, fc.integer({ min: 1, max: 200 }), async (table, lineEnd, step) => {
        const text = table.map(row => row.map(field => quoted(field)).join(',') + lineEnd).join('')
        const header = table[0]!.map((_, i) => `c${i}`)
        const rows = await readCsvRows(resolveDialect({}, ','), `${header.join(',')}${lineEnd}${text}`, step)
        expect(rows.map(row => Object.values(row))).to.deep.equal(table)
      }),
    )
  })
})

function quoted(field: string | null): string {
  return field === null ? '' : `"${field.replaceAll('"', '""')}"`
}

/** Blank lines are records to csv-parse; the width of the first other record says whether they are. */
function withoutBlank(records: (string | null)[][]): (string | null)[][] {
  const isBlank = (record: (string | null)[]) => record.length === 1 && record[0] === null
  const width = records.find(record => !isBlank(record))?.length ?? 1
  return width === 1 ? records : records.filter(record => !isBlank(record))
}

async function readLoosely(text: string, step: number, options: DialectOptions): Promise<unknown[][]> {
  const dialect = resolveDialect({ ...options, header: false }, options.delimiter ?? ',')
  const rows = await readCsvRows(dialect, text, step, () => {}, { loose: true })
  return rows.map(row => Object.values(row))
}
