import { seededRandom } from '../../../test/support/random.ts'
import type { BenchTable } from './bench-table.ts'

const SEED = 4
const MOST_INT = 2 ** 31 - 1

interface NarrowRow {
  readonly id: number
  readonly sensor: number
  readonly value: number
  readonly quality: number
}

export const narrow: BenchTable = {
  columns: [
    { name: 'id', type: 'bigint' },
    { name: 'sensor', type: 'int' },
    { name: 'value', type: 'int' },
    { name: 'quality', type: 'smallint' },
  ],
  key: ['id'],
  about: 'of a few whole numbers',
  rows(count) {
    const random = seededRandom(SEED)
    return Array.from({ length: count }, (_, index) => ({
      id: index + 1,
      sensor: random.integer(1, 5000),
      value: random.integer(-MOST_INT, MOST_INT),
      quality: random.integer(0, 100),
    }))
  },
  copyLine: ({ id, sensor, value, quality }: NarrowRow) => `${id}\t${sensor}\t${value}\t${quality}\n`,
}
