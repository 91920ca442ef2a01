import { mixSeed } from '../../support/random.ts'

/** A row that says which one it is, and what it should look like. */
export interface NumberedRow {
  n: number | string
  /** The source's partition; rows of one come in order. */
  part: number
  amount: number
  note: string
}

export const PARTITIONS = 6

/** Every so manyeth row is bad, where a case has bad rows; the last two take turns at who refuses them. */
const BAD_EVERY = 97

/** The row of a number, always the same. */
export function rowOf(seed: number, n: number, withBad: boolean): NumberedRow {
  const hash = mixSeed(seed, n)
  const row: NumberedRow = {
    n,
    part: partitionOf(n),
    amount: hash % 1000,
    note: `row ${n} `.repeat(1 + (hash % 7)),
  }
  if (!withBad || !isBad(n)) return row
  // one that a CHECK refuses, one whose text the server's parser refuses, one that has no form at all
  if (n % 3 === 0) return { ...row, amount: -1 }
  if (n % 3 === 1) return { ...row, amount: 'much' as unknown as number }
  return { ...row, note: `${row.note}\0` }
}

/** How many rows in a row have the same new key, and how many such keys there are. */
const ROWS_OF_A_KEY = 100
const NEW_KEYS = 10

/** The key that a row brings besides those of `rowOf`, and its value; later values need a wider type. */
export function newKeyOf(n: number): readonly [key: string, value: number] {
  const run = Math.floor(n / ROWS_OF_A_KEY)
  return [`new ${run % NEW_KEYS}`, run < NEW_KEYS ? n : n + 0.5]
}

export function isBad(n: number): boolean {
  return n % BAD_EVERY === 13
}

/** With the method 'changes' every tenth item is no row, but the deletion of the one that many before it. */
const DELETES_BACK = 5

/** The number of the row that an item deletes, of the same partition; undefined: it is a row itself. */
export function deletedBy(n: number): number | undefined {
  return n % 10 === 9 ? n - DELETES_BACK : undefined
}

/** The number of the item that deletes a row, if one does. */
export function deleterOf(n: number): number | undefined {
  return deletedBy(n + DELETES_BACK) === undefined ? undefined : n + DELETES_BACK
}

/** Runs of rows go to one partition, so that a batch holds some of them and not all. */
export function partitionOf(n: number): number {
  return Math.floor(n / 20) % PARTITIONS
}
