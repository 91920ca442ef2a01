import { isServerError } from '../../connection/server-error.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'
import { quoteIdentifier, quoteTable } from '../../table/identifier.ts'
import type { OtherKey } from '../../table/merge/conflict.ts'
import { equalIn, keyColumns, type Merge, type MergeColumn } from '../../table/merge/merge.ts'
import type { TablePlan } from '../plan/table-plan.ts'
import type { RowShape } from '../rows/row-shapes.ts'
import { askIfAllowed } from './ask.ts'
import { typedKey } from './new-keys.ts'
import { keyReader } from './read-key.ts'

const UNIQUE_VIOLATION = '23505'

interface Row {
  readonly row: object
  readonly shape: RowShape
}

/** Another unique key that every row sets which brings it. */
interface SetKey extends OtherKey {
  readonly equals: readonly string[]
}

/** A row whose value a stored row has, and the row of the piece that may take it from there. */
interface Taken {
  readonly item: number
  readonly holder: number | undefined
}

/**
 * Finds the rows of a piece whose values of another unique key are taken, all at once. Rows that exchange
 * such values, which a deferred key allows, are found to be free: each takes what another one gives up.
 */
export class TakenValues {
  readonly #transaction: Transaction
  readonly #plan: TablePlan

  constructor(transaction: Transaction, plan: TablePlan) {
    this.#transaction = transaction
    this.#plan = plan
  }

  /**
   * Returns the rows that the server would refuse however the piece is sent. None where that is not clear.
   * @param error why the piece was refused
   */
  async among<R extends Row>(piece: readonly R[], error: unknown): Promise<R[]> {
    const keys = isServerError(error) && error.code === UNIQUE_VIOLATION ? this.#setKeys() : []
    if (keys.length === 0) return []
    const taken = await askIfAllowed(this.#transaction, async () => {
      const answers: Taken[] = []
      for (const key of keys) answers.push(...(await this.#takenOf(key, piece)))
      return answers
    })
    return [...neverFree(taken ?? [])].sort((a, b) => a - b).map(item => piece[item]!)
  }

  #setKeys(): SetKey[] {
    const { conflict, merge, replacement, isCitus } = this.#plan
    if (!conflict || !merge || replacement || isCitus || conflict.keys.length === 0) return []
    const { action, inOrder, newerBy, where, computed, otherKeys = [], update } = conflict
    // a row that may change nothing, or something else, is not refused for what it brings
    const isClear = action === 'update' && !inOrder && newerBy === undefined && where === undefined
    if (!isClear || computed.length > 0) return []
    return otherKeys.filter(
      (key): key is SetKey => key.equals !== undefined && key.columns.every(name => update.includes(name)),
    )
  }

  async #takenOf(key: SetKey, piece: readonly Row[]): Promise<Taken[]> {
    const { columns } = this.#plan
    const merge = this.#plan.merge!
    const readKey = keyReader(
      this.#plan,
      keyColumns(merge).map(({ name }) => name),
    )
    const readValues = keyReader(this.#plan, key.columns)
    if (!readKey || !readValues) return []
    const items: number[] = []
    const texts: (readonly (string | undefined)[])[] = []
    for (const [item, { row, shape }] of piece.entries()) {
      const own = readKey(row)
      const isSet = key.columns.every(name => shape.columns.some(at => columns[at]!.name === name))
      // a row that does not bring the value leaves the stored one where it is
      if (!own || !(isSet || shape.deletes)) continue
      const values = shape.deletes ? undefined : readValues(row)
      items.push(item)
      texts.push([...own, ...key.columns.map((_, at) => values?.[at])])
    }
    const width = keyColumns(merge).length + key.columns.length
    const parameters = Array.from({ length: width }, (_, at) => texts.map(all => all[at] ?? null))
    const { rows } = await this.#transaction.query(takenSql(merge, key), [items, ...parameters])
    return (rows as { item: string; holder: string | null }[]).map(({ item, holder }) => ({
      item: Number(item),
      holder: holder === null ? undefined : Number(holder),
    }))
  }
}

/**
 * Asks for the rows whose values another stored row has, each with the row of that key, if that gives them
 * up; and for those that an earlier row of another key brings, too. Of each key only the last row counts.
 */
function takenSql(merge: Merge, key: SetKey): string {
  const own = keyColumns(merge)
  const others = key.columns.map(name => merge.columns.find(one => one.name === name)!)
  const names = [...own.map((_, at) => `k${at}`), ...others.map((_, at) => `v${at}`)]
  const cells = [...own, ...others].map((column, at) => `${typedKey(column, names[at]!)} AS ${names[at]}`)
  const arrays = names.map((_, at) => `$${at + 2}::text[]`)
  const ownNames = own.map((_, at) => `k${at}`).join(', ')
  const isKeyOf = (alias: string): string =>
    own.map((column, at) => equalIn(merge, column, 'stored', `${alias}.k${at}`)).join(' AND ')
  const hasValuesOf = (alias: string): string =>
    others
      .map(({ name }: MergeColumn, at) => `stored.${quoteIdentifier(name)} ${key.equals[at]} ${alias}.v${at}`)
      .join(' AND ')
  const same = others.map((_, at) => `other.v${at} ${key.equals[at]} given.v${at}`).join(' AND ')
  const table = quoteTable(merge.table)
  return `WITH given AS MATERIALIZED (SELECT DISTINCT ON (${ownNames}) * FROM (
      SELECT item, ${cells.join(', ')}
      FROM unnest($1::int[], ${arrays.join(', ')}) AS texts(item, ${names.join(', ')})) AS typed
    ORDER BY ${ownNames}, item DESC)
    SELECT given.item::text AS item, CASE WHEN (${same}) IS NOT TRUE THEN other.item::text END AS holder
    FROM given JOIN ${table} AS stored ON ${hasValuesOf('given')} AND (${isKeyOf('given')}) IS NOT TRUE
    LEFT JOIN given AS other ON ${isKeyOf('other')}
    UNION ALL SELECT given.item::text, NULL FROM given JOIN given AS other
      ON ${same} AND other.item < given.item
    WHERE NOT EXISTS (SELECT FROM ${table} AS stored WHERE ${isKeyOf('given')} AND ${hasValuesOf('given')})`
}

/** Returns the rows whose values nothing frees: no row of the piece gives them up, or only one of these. */
function neverFree(taken: readonly Taken[]): Set<number> {
  const takers = new Map<number, number[]>()
  for (const { item, holder } of taken) {
    if (holder === undefined) continue
    const known = takers.get(holder)
    if (known) known.push(item)
    else takers.set(holder, [item])
  }
  const found = new Set(taken.filter(({ holder }) => holder === undefined).map(({ item }) => item))
  for (const item of found) for (const taker of takers.get(item) ?? []) found.add(taker)
  return found
}
