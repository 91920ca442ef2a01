import { type BenchRow, benchRows, COLUMNS } from '../rows.ts'
import { type BenchTable, escapeCopy } from './bench-table.ts'

export const mixed: BenchTable = {
  columns: COLUMNS,
  key: ['id'],
  about: 'as services hold them: numbers, a Date, an object',
  rows: benchRows,
  copyLine: ({ id, quantity, name, score, price, active, created_at, attributes }: BenchRow) =>
    `${id}\t${quantity}\t${escapeCopy(name)}\t${score}\t${price}\t${active}\t${created_at.toISOString()}\t${escapeCopy(JSON.stringify(attributes))}\n`,
}
