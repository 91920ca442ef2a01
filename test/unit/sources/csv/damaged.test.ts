import { Readable } from 'node:stream'
import { expect } from 'chai'
import { faultOf } from '../../../../lib/sources/malformed.ts'
import { openSource } from '../../../../lib/sources/open-source.ts'
import { Repairs } from '../../../../lib/sources/repairs.ts'
import type { SourceRow } from '../../../../lib/sources/rows.ts'

const HEADER = ['DATE', 'TIME', 'Qty', 'ID', 'Price', 'Type', 'Text', 'URL', 'Comments']
const ROWS = Array.from({ length: 14 }, (_, i) => [
  `${10 + i}/02/2018`,
  `0${i % 10}:15`,
  `${i}`,
  `BH-${7000 + i}`,
  `$${i}.50`,
  i % 3 === 0 ? `"Table, ${i}"` : `Men's Boots ${i}`,
  i % 4 === 0 ? `"Light, 8'9"" long, for ${i}"` : `"Rugged enough for ${i}"`,
  `https://example.com/${i}.html`,
  '',
])
const CLEAN = new Set(ROWS.map(cells => keyOf(cells.map(plain))))

function plain(cell: string): string {
  return cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell
}

function keyOf(cells: readonly unknown[]): string {
  return cells.map(cell => cell ?? '').join('\0')
}

/** Reads a file with one damaged record, and returns the rows that would be stored. */
async function read(records: readonly string[], repairs: Repairs): Promise<SourceRow[]> {
  const stdin = Readable.from([Buffer.from(`${records.join('\r\n')}\r\n`)])
  const options = {
    format: 'csv',
    lenient: true,
    keepsMalformed: true,
    fitsHeader: true,
    judgesHeader: true,
  } as const
  const { rows } = await openSource('-', { ...options, stdin, repairs })
  const all = (await rows.toArray()) as SourceRow[]
  return all.filter(row => faultOf(row) === undefined)
}

describe('readCsv, lenient, of a file with one damaged record', () => {
  const joined = (cells: readonly string[]) => cells.join(',')
  const damages: [what: string, damage: (cells: readonly string[], at: number) => string | undefined][] = [
    [
      'a missing delimiter',
      (cells, at) =>
        at === 0
          ? undefined
          : joined([...cells.slice(0, at - 1), `${cells[at - 1]}${cells[at]}`, ...cells.slice(at + 1)]),
    ],
    ['an extra delimiter', (cells, at) => joined(cells.toSpliced(at, 0, ''))],
    ['an extra quote at the start of a field', (cells, at) => joined(cells.with(at, `"${cells[at]}`))],
    ['a field too few', (cells, at) => joined(cells.toSpliced(at, 1))],
    ['spaces for delimiters', (cells, at) => (at === 0 ? cells.join(' ') : undefined)],
  ]
  for (const [what, damage] of damages) {
    it(`stores no other record than the file means, with ${what} anywhere`, async () => {
      let looks = 0
      for (const [index, cells] of ROWS.entries()) {
        for (let at = 0; at < cells.length; at++) {
          const damaged = damage(cells, at)
          if (damaged === undefined) continue
          looks++
          const records = [joined(HEADER), ...ROWS.map(joined).with(index, damaged)]
          const rows = await read(records, new Repairs())
          const meant = cells.map(plain).with(at, `"${plain(cells[at]!)}`) // a quote that is text
          const known = new Set([...CLEAN, keyOf(meant)])
          const others = rows.map(row => Object.values(row)).filter(values => !known.has(keyOf(values)))
          expect(others, damaged).to.deep.equal([])
          expect(rows.length, damaged).to.be.at.least(ROWS.length - 1)
        }
      }
      expect(looks).to.be.at.least(ROWS.length)
    })
  }

  it('says what it has repaired', async () => {
    const repairs = new Repairs()
    const records = [joined(HEADER), ...ROWS.map(joined)]
    const rows = await read(records.with(3, records[3]!.slice(0, -1)).with(5, `${records[5]},`), repairs)
    expect(rows).to.have.length(ROWS.length)
    expect(repairs.list().map(({ kind, count }) => [kind, count])).to.have.deep.members([
      ['missing', 1],
      ['extra', 1],
    ])
  })
})
