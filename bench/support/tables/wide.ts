import { seededRandom } from '../../../test/support/random.ts'
import { type BenchTable, escapeCopy } from './bench-table.ts'

const SEED = 1605
const TEXT_LETTERS = 20_000
const WORDS =
  'En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que vivía'.split(' ')

interface WideRow {
  readonly id: number
  readonly title: string
  readonly body: string
  readonly notes: string
}

export const wide: BenchTable = {
  columns: [
    { name: 'id', type: 'bigint' },
    { name: 'title', type: 'text' },
    { name: 'body', type: 'text' },
    { name: 'notes', type: 'text' },
  ],
  key: ['id'],
  about: 'of long text, a part of it beyond ASCII, with line ends',
  share: 1 / 10,
  rows(count) {
    const random = seededRandom(SEED)
    const text = (separator: string): string => {
      let letters = ''
      while (letters.length < TEXT_LETTERS) letters += random.pick(WORDS) + separator
      return letters
    }
    const plain = text(' ')
      .normalize('NFD')
      .replace(/[^ -~]/g, '')
    const accented = text('\n')
    const cut = (from: string, length: number): string => {
      const start = random.integer(0, from.length - length)
      return from.slice(start, start + length)
    }
    return Array.from({ length: count }, (_, index) => ({
      id: index + 1,
      title: cut(plain, random.integer(20, 80)),
      body: cut(plain, random.integer(500, 1500)),
      notes: cut(accented, random.integer(100, 500)),
    }))
  },
  copyLine: ({ id, title, body, notes }: WideRow) =>
    `${id}\t${escapeCopy(title)}\t${escapeCopy(body)}\t${escapeCopy(notes)}\n`,
}
