import { type BenchRow, benchRows, COLUMNS } from '../rows.ts'
import { type BenchTable, escapeCopy } from './bench-table.ts'

type StringRow = Readonly<Record<keyof BenchRow, string>>

export const strings: BenchTable = {
  columns: COLUMNS,
  key: ['id'],
  about: 'all values strings, as a CSV parser gives them, into typed columns',
  rows: count => benchRows(count).map(asStrings),
  copyLine: ({ id, quantity, name, score, price, active, created_at, attributes }: StringRow) =>
    `${id}\t${quantity}\t${escapeCopy(name)}\t${score}\t${price}\t${active}\t${created_at}\t${escapeCopy(attributes)}\n`,
}

function asStrings(row: BenchRow): StringRow {
  return {
    id: String(row.id),
    quantity: String(row.quantity),
    name: row.name,
    score: String(row.score),
    price: row.price,
    active: String(row.active),
    created_at: row.created_at.toISOString(),
    attributes: JSON.stringify(row.attributes),
  }
}
