import { type Random, seededRandom } from '../../../test/support/random.ts'
import { type BenchTable, escapeCopy } from './bench-table.ts'

const SEED = 19_920_101
const FIRST_DAY = Date.UTC(1992, 0, 1)
const DAYS = 2500
const DAY_MS = 86_400_000
const LINES_OF_AN_ORDER = 4
const INSTRUCTIONS = ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN']
const MODES = ['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB']
const WORDS =
  'carefully final deposits sleep quickly among the ironic packages above regular pinto beans'.split(' ')

type LineItem = ReturnType<typeof lineItem>

/** The columns and the distributions, roughly, of TPC-H's largest table. */
export const lineitem: BenchTable = {
  columns: [
    { name: 'l_orderkey', type: 'bigint' },
    { name: 'l_partkey', type: 'int' },
    { name: 'l_suppkey', type: 'int' },
    { name: 'l_linenumber', type: 'int' },
    { name: 'l_quantity', type: 'numeric(12,2)' },
    { name: 'l_extendedprice', type: 'numeric(12,2)' },
    { name: 'l_discount', type: 'numeric(12,2)' },
    { name: 'l_tax', type: 'numeric(12,2)' },
    { name: 'l_returnflag', type: 'char(1)' },
    { name: 'l_linestatus', type: 'char(1)' },
    { name: 'l_shipdate', type: 'date' },
    { name: 'l_commitdate', type: 'date' },
    { name: 'l_receiptdate', type: 'date' },
    { name: 'l_shipinstruct', type: 'char(25)' },
    { name: 'l_shipmode', type: 'char(10)' },
    { name: 'l_comment', type: 'varchar(44)' },
  ],
  key: ['l_orderkey', 'l_linenumber'],
  about: "like TPC-H's lineitem: decimals and dates as strings",
  rows(count) {
    const random = seededRandom(SEED)
    return Array.from({ length: count }, (_, index) => lineItem(index, random))
  },
  copyLine: (row: LineItem) =>
    `${row.l_orderkey}\t${row.l_partkey}\t${row.l_suppkey}\t${row.l_linenumber}\t${row.l_quantity}\t${row.l_extendedprice}\t${row.l_discount}\t${row.l_tax}\t${row.l_returnflag}\t${row.l_linestatus}\t${row.l_shipdate}\t${row.l_commitdate}\t${row.l_receiptdate}\t${row.l_shipinstruct}\t${row.l_shipmode}\t${escapeCopy(row.l_comment)}\n`,
}

function lineItem(index: number, random: Random) {
  const shipped = random.integer(0, DAYS)
  const quantity = random.integer(1, 50)
  return {
    l_orderkey: Math.floor(index / LINES_OF_AN_ORDER) + 1,
    l_partkey: random.integer(1, 200_000),
    l_suppkey: random.integer(1, 10_000),
    l_linenumber: (index % LINES_OF_AN_ORDER) + 1,
    l_quantity: quantity.toFixed(2),
    l_extendedprice: (quantity * random.integer(90_000, 210_000) * 0.01).toFixed(2),
    l_discount: (random.integer(0, 10) / 100).toFixed(2),
    l_tax: (random.integer(0, 8) / 100).toFixed(2),
    l_returnflag: random.pick(['R', 'A', 'N']),
    l_linestatus: random.pick(['O', 'F']),
    l_shipdate: day(shipped),
    l_commitdate: day(shipped + random.integer(-30, 60)),
    l_receiptdate: day(shipped + random.integer(1, 30)),
    l_shipinstruct: random.pick(INSTRUCTIONS),
    l_shipmode: random.pick(MODES),
    l_comment: comment(random),
  }
}

function day(number: number): string {
  return new Date(FIRST_DAY + number * DAY_MS).toISOString().slice(0, 10)
}

function comment(random: Random): string {
  const words = Array.from({ length: random.integer(2, 6) }, () => random.pick(WORDS))
  return words.join(' ').slice(0, 44).trimEnd()
}
