import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import Papa from 'papaparse'
import { load } from '../../../../lib/cli/load/load.ts'
import { SourceError } from '../../../../lib/sources/source-error.ts'
import { testTerminal } from '../../../support/processes/terminal.ts'
import { useDatabase } from '../../../support/servers/database.ts'

const DATA = fileURLToPath(new URL('../../../../node_modules/vega-datasets/data', import.meta.url))
const files = readdirSync(DATA)

type Row = Record<string, unknown>

/** Real files, also read by another parser: the table must hold the same. */
describe('pg-batch load --create of vega-datasets', function () {
  this.timeout(60_000)
  const database = useDatabase()

  async function loaded(name: string): Promise<Map<string, { type: string; values: (string | null)[] }>> {
    const given = { files: [join(DATA, name)], table: `"${name}"`, create: true, infer: 'all' } as const
    const request = { ...given, database: database.connectionString, batchSize: 5000 }
    await load(request, testTerminal(), new AbortController().signal)
    const { rows, fields } = await database.pool.query({
      text: `SELECT * FROM public."${name}"`,
      rowMode: 'array',
      types: { getTypeParser: () => (text: string) => text },
    })
    const { rows: types } = await database.pool.query(
      'SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0',
      [`public."${name}"`],
    )
    await database.pool.query(`DROP TABLE public."${name}"`)
    return new Map(
      fields.map((field, index) => [
        field.name,
        {
          type: types.find(({ attname }) => attname === field.name).type,
          values: (rows as (string | null)[][]).map(row => row[index]!),
        },
      ]),
    )
  }

  /** As bags of rows: a heap keeps no order. */
  function compare(columns: Awaited<ReturnType<typeof loaded>>, rows: readonly Row[]): void {
    const names = [...columns.keys()]
    // JSON.parse does not keep the spelling of a number, 10.0 for example; we do
    const hasNumbers = rows.some(row => Object.values(row).some(value => typeof value === 'number'))
    const typeOf = (name: string) => {
      const { type } = columns.get(name)!
      return hasNumbers && type === 'numeric' ? 'double precision' : type
    }
    expect(names.toSorted()).to.deep.equal([...new Set(rows.flatMap(row => Object.keys(row)))].sort())
    const count = columns.get(names[0]!)!.values.length
    expect(count).to.equal(rows.length)
    const ours = Array.from({ length: count }, (_, row) =>
      names.map(name => canonical(columns.get(name)!.values[row]!, typeOf(name))).join('\n'),
    )
    const theirs = rows.map(row => names.map(name => canonical(row[name] ?? null, typeOf(name))).join('\n'))
    theirs.sort()
    for (const [index, row] of ours.sort().entries())
      if (row !== theirs[index]) expect(row).to.equal(theirs[index])
  }

  /** One text for what the server prints and for what the other parser has. */
  function canonical(value: unknown, type: string): string {
    if (value === null) return 'NULL'
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    if (type === 'boolean') return text.toLowerCase()[0]!
    if (type === 'double precision') return String(Number(text))
    if (type === 'jsonb') return JSON.stringify(sorted(typeof value === 'string' ? parsed(value) : value))
    if (type === 'timestamp without time zone') return new Date(`${text.replace(' ', 'T')}Z`).toISOString()
    if (type === 'timestamp with time zone')
      return new Date(text.replace(/([+-]\d\d)$/, '$1:00')).toISOString()
    return text
  }

  const parsed = (text: string): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  }

  function sorted(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(sorted)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, each]) => [key, sorted(each)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  }

  const tables = files.filter(name => /\.[ct]sv$/.test(name))
  it('has CSV files', () => expect(tables.length).to.be.at.least(15))
  for (const name of tables) {
    it(`${name}: as papaparse reads it`, async () => {
      const text = readFileSync(join(DATA, name), 'utf8')
      const { data } = Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true })
      const rows = data.map(row =>
        Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value === '' ? null : value])),
      )
      expect(rows.length).to.be.at.least(1)
      compare(await loaded(name), rows)
    })
  }

  const documents = files.filter(name => name.endsWith('.json'))
  it('has JSON files', () => expect(documents.length).to.be.at.least(30))
  for (const name of documents) {
    const value: unknown = JSON.parse(readFileSync(join(DATA, name), 'utf8'))
    const isTable = Array.isArray(value) && value.every(row => typeof row === 'object' && !Array.isArray(row))
    if (isTable) {
      it(`${name}: as JSON.parse reads it`, async () => compare(await loaded(name), value as Row[]))
      continue
    }
    if (Array.isArray(value)) {
      it(`${name}: refused, because its elements are not objects`, async () => {
        expect(await loaded(name).catch(error => error)).to.be.instanceOf(SourceError)
      })
      continue
    }
    it(`${name}: one row, or a proposal where the rows are`, async () => {
      const outcome = await loaded(name).catch((error: Error) => error)
      if (outcome instanceof Error) expect(outcome.message).to.contain('--record-path')
      else compare(outcome, [value as Row])
    })
  }
})
