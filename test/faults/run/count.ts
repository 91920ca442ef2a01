import type { LoadShape } from '../cases/cases.ts'
import { deletedBy, deleterOf, isBad, type NumberedRow, newKeyOf, rowOf } from '../load/rows.ts'
import type { Tables } from '../load/tables.ts'
import type { Database } from '../servers/server.ts'

/** The outcome of the rows of one case. */
export interface Counts {
  sent: number
  stored: number
  distinct: number
  rejected: number
  /** Rows that are neither in the table nor among the rejected ones, and should be. */
  lost: number
  /** Rows that are there, or were rejected, more often than once; rows that are where they do not belong. */
  doubled: number
  /** Rows whose values are not what was sent. */
  garbled: number
}

/**
 * Looks at every stored and every rejected row of a case, past all proxies.
 * @param mayBeMissing rows of which a failed pipeline says itself that they are not written
 */
export async function countRows(
  database: Database,
  tables: Tables,
  shape: LoadShape,
  seed: number,
  sent: number,
  mayBeMissing: (n: number) => boolean = () => false,
): Promise<Counts> {
  const stored = await database.query(
    `SELECT n::int AS n, part, amount, note, times, to_jsonb(t) AS whole FROM ${tables.target} t`,
  )
  const rejected = shape.badRows ? await readRejected(database, tables) : []
  const times = { good: new Uint16Array(sent), bad: new Uint16Array(sent) }
  const changes = shape.method === 'changes'
  const bad = (n: number): boolean => shape.badRows && isBad(n) && !(changes && deletedBy(n) !== undefined)
  /** Nothing of it is to be in the table: a deletion, and what it has deleted. */
  const gone = (n: number): boolean => {
    const deleter = changes ? deleterOf(n) : undefined
    if (deleter !== undefined) return deleter < sent && !mayBeMissing(deleter)
    return changes && deletedBy(n) !== undefined
  }
  let unexpected = 0
  let garbled = 0
  for (const row of stored as unknown as (NumberedRow & {
    times: number
    whole: Record<string, unknown>
  })[]) {
    const n = Number(row.n)
    if (n < 0 || n >= sent || bad(n) || gone(n)) unexpected++
    else times.good[n]! += row.times
    const expected = rowOf(seed, n, false)
    if (row.part !== expected.part || row.amount !== expected.amount || row.note !== expected.note) garbled++
    else if (shape.evolves && !hasNewKey(row.whole, n)) garbled++
  }
  for (const n of rejected) {
    if (n >= sent || !bad(n)) unexpected++
    else times.bad[n]!++
  }
  const counts: Counts = {
    sent,
    stored: stored.length,
    distinct: times.good.reduce((sum, count) => sum + Math.min(count, 1), 0),
    rejected: rejected.length,
    lost: 0,
    doubled: unexpected,
    garbled,
  }
  for (let n = 0; n < sent; n++) {
    const there = bad(n) ? times.bad[n]! : times.good[n]!
    // a bad row, too: it is not even looked at where its deletion comes in the same batch
    const mayBeGone = changes && (gone(n) || deleterOf(n) !== undefined)
    if (there === 0 && !mayBeMissing(n) && !mayBeGone) counts.lost++
    if (there > 1) counts.doubled += there - 1
  }
  return counts
}

/** The row has the value of its new key, and NULL in the columns of the others. */
function hasNewKey(whole: Record<string, unknown>, n: number): boolean {
  const [key, value] = newKeyOf(n)
  const others = Object.keys(whole).filter(name => name.startsWith('new ') && name !== key)
  return whole[key] === value && others.every(name => whole[name] === null)
}

/** Numbers of the rows in the dead-letter table; each of them holds the whole row as JSON. */
async function readRejected(database: Database, { deadLetters }: Tables): Promise<number[]> {
  const [known] = await database.query('SELECT to_regclass($1) IS NOT NULL AS there', [deadLetters])
  if (!known?.there) return []
  const letters = await database.query(`SELECT "row"::text AS text FROM ${deadLetters}`)
  return letters.map(({ text }) => Number((JSON.parse(text as string) as NumberedRow).n))
}
