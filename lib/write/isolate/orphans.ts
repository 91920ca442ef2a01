import { connectionSurvives, isServerError, type ServerError } from '../../connection/server-error.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'
import { quoteTable } from '../../table/identifier.ts'
import { keyColumns } from '../../table/merge/merge.ts'
import type { TablePlan } from '../plan/table-plan.ts'
import { FOREIGN_KEY_SQL, type ForeignKey, type Keys, missingParents } from './foreign-key.ts'
import { certainlyNew } from './new-keys.ts'
import { keyReader, type ReadKey } from './read-key.ts'
import type { ShapedRow } from './rows.ts'

/**
 * Finds the rows of a piece that a foreign key refuses, all at once: its error names none of them, and to try
 * the rows one by one costs milliseconds a row.
 */
export class Orphans {
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  /** By `nameOf`; undefined for one whose rows are to be tried one by one. */
  readonly #known = new Map<string, ForeignKey | undefined>()

  constructor(transaction: Transaction, plan: TablePlan) {
    this.#transaction = transaction
    this.#plan = plan
  }

  /**
   * Returns the rows whose parents are neither in the table nor among the other rows, or are among the rows
   * that are returned. Returns none where that is not certain.
   * @param error the foreign key's
   */
  async among<R extends ShapedRow>(piece: readonly R[], error: unknown): Promise<R[]> {
    if (!this.#mayAsk() || !isServerError(error)) return []
    this.#transaction.before('SAVEPOINT pg_batch_orphans')
    try {
      const key = await this.#keyOf(error)
      const missing = key && (await this.#missing(key, piece))
      this.#transaction.before('RELEASE SAVEPOINT pg_batch_orphans')
      return missing ? [...lost(missing)].sort((a, b) => a - b).map(index => piece[index]!) : []
    } catch (failure) {
      if (!isServerError(failure) || !connectionSurvives(failure)) throw failure
      this.#transaction.before('ROLLBACK TO SAVEPOINT pg_batch_orphans; RELEASE SAVEPOINT pg_batch_orphans')
      this.#known.set(nameOf(error), undefined)
      return []
    }
  }

  #mayAsk(): boolean {
    const { conflict, merge, replacement, isCitus } = this.#plan
    const isKnown = conflict ? !conflict.updateOnly : !merge
    // in other isolation levels the foreign key may see other rows than a query
    return isKnown && !replacement && !isCitus && this.#transaction.ticket?.isReadCommitted === true
  }

  /** Returns false where a row that an upsert updates may keep the parent that is stored. */
  #isAlwaysSet({ columns }: ForeignKey): boolean {
    const { conflict } = this.#plan
    if (!conflict) return true
    const { action, keys, update, newerBy, where } = conflict
    if (action === 'nothing' || newerBy !== undefined || where !== undefined) return false
    return columns.every(({ child }) => update.includes(child) || keys.includes(child))
  }

  async #keyOf(error: ServerError): Promise<ForeignKey | undefined> {
    const { schema, table, constraint } = error
    if (constraint === undefined) return undefined
    const name = nameOf(error)
    if (!this.#known.has(name)) {
      const values = [schema, table, constraint, quoteTable(this.#plan.table)]
      const { rows } = await this.#transaction.query(FOREIGN_KEY_SQL, values)
      const [found] = rows as { key: string }[]
      this.#known.set(name, found && JSON.parse(found.key))
    }
    return this.#known.get(name)
  }

  async #missing(key: ForeignKey, piece: readonly ShapedRow[]): Promise<Map<number, number[]> | undefined> {
    const read = keyReader(
      this.#plan,
      key.columns.map(({ child }) => child),
    )
    const readOwn = key.isSelf
      ? keyReader(
          this.#plan,
          key.columns.map(({ parent }) => parent),
        )
      : () => undefined
    if (!read || !readOwn) return undefined
    const children = keysOf(piece, read)
    const refused = this.#isAlwaysSet(key) ? children : await this.#newAmong(piece, children)
    return missingParents(this.#transaction, key, refused, keysOf(piece, readOwn))
  }

  /** Returns those of the rows that an upsert does not update. */
  async #newAmong(piece: readonly ShapedRow[], children: Keys): Promise<Keys> {
    const { merge } = this.#plan
    const { keys, inOrder } = merge!.conflict
    const read = inOrder
      ? undefined
      : keyReader(
          this.#plan,
          keyColumns(merge!).map(({ name }) => name),
        )
    if (!read || keys.length === 0) return new Map()
    const isNew = await certainlyNew(this.#transaction, merge!, keysOf(piece, read))
    return new Map([...children].filter(([index]) => isNew.has(index)))
  }
}

function keysOf(piece: readonly ShapedRow[], read: ReadKey): Keys {
  const keys = new Map<number, readonly string[]>()
  for (const [index, { row, shape }] of piece.entries()) {
    const key = shape.deletes ? undefined : read(row)
    if (key) keys.set(index, key)
  }
  return keys
}

/** Returns the constraint of an error, with its table: several tables may have one of this name. */
function nameOf({ schema, table, constraint }: ServerError): string {
  return JSON.stringify([schema, table, constraint])
}

/**
 * Returns the rows without a parent. Rows that refer to each other in a circle have parents.
 * @param missing for each row whose parent is not in the table the rows that may be its parent
 */
function lost(missing: ReadonlyMap<number, readonly number[]>): Set<number> {
  const children = new Map<number, number[]>()
  const left = new Map<number, number>()
  for (const [child, parents] of missing) {
    left.set(child, parents.length)
    for (const parent of parents) {
      const known = children.get(parent)
      if (known) known.push(child)
      else children.set(parent, [child])
    }
  }
  const found = new Set([...missing.keys()].filter(child => left.get(child) === 0))
  for (const index of found) {
    for (const child of children.get(index) ?? []) {
      left.set(child, left.get(child)! - 1)
      if (left.get(child) === 0) found.add(child)
    }
  }
  return found
}
