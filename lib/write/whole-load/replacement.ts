import { isServerError } from '../../connection/server-error.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'
import { PgBatchError } from '../../errors.ts'
import { quoteIdentifier, quoteTable } from '../../table/identifier.ts'
import { dropJudge, type JudgeFacts, judgeFacts, judgeStaged } from '../../table/judge-sql.ts'
import type { MergeShape } from '../../table/merge/merge.ts'
import { createStagingStatement } from '../../table/merge/merge-source.ts'
import { isRefusedTogether } from '../../table/merge/merge-strategy.ts'
import {
  countRows,
  deleteChanged,
  deleteMissing,
  hasKey,
  type IncomingKey,
  insertAllOf,
  insertNew,
  insertWithoutKey,
  lockForReplacement,
  lockMissing,
  REPLACEMENT,
  type Replaced,
  type ReplacementFacts,
  refersToMissing,
  replacementFacts,
  stagingIndex,
  targetOf,
  writeChanged,
} from '../../table/replacement-sql.ts'
import { hiddenRowsReason, type ReplacementPlan } from '../plan/replacement-plan.ts'
import type { TablePlan } from '../plan/table-plan.ts'

/**
 * Replaces all rows of a table in one transaction. New rows are staged first, and disturb neither readers nor
 * writers. Then other writers wait, and the difference is applied: rows that are missing are deleted, rows
 * that differ are updated, new rows are inserted. Without a key all old rows are deleted.
 *
 * Rows of other tables never change: a row is not deleted while a foreign key would change what refers to it.
 */
export class Replacement {
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  #facts: ReplacementFacts
  readonly #target: string
  readonly #key: ReplacementPlan['keys'][number] | undefined

  #isJudged = false

  /**
   * Makes the staging table.
   * @param rejects single rows may be rejected: the staging table refuses those that the target would refuse
   * @throws PgBatchError when the table's relations do not allow a replacement
   */
  static async begin(transaction: Transaction, plan: TablePlan, rejects: boolean): Promise<Replacement> {
    const facts = await readFacts(transaction, plan)
    const replacement = new Replacement(transaction, plan, facts)
    replacement.#expectReplaceable()
    await transaction.query(createStagingStatement(REPLACEMENT.name, plan.merge!))
    const index = facts.keys.find(({ index }) => index === replacement.#key?.index)
    if (index) await transaction.query(stagingIndex(index, facts.isTemporary))
    if (rejects) await replacement.#judgeRows()
    return replacement
  }

  private constructor(transaction: Transaction, plan: TablePlan, facts: ReplacementFacts) {
    this.#transaction = transaction
    this.#plan = plan
    this.#facts = facts
    const { keys, isPartitioned } = plan.replacement!
    this.#target = targetOf(plan.table, isPartitioned)
    const usable = facts.keys.map(({ index }) => index)
    this.#key = keys.find(({ index }) => usable.includes(index))
  }

  /** How many rows the table has. */
  async countStored(): Promise<number> {
    const { rows } = await this.#transaction.query(countRows(this.#target))
    return Number(rows[0]!.rows)
  }

  /** Replaces the rows; resolves to how many of the new ones differ from what was stored. */
  async apply(shapes: readonly MergeShape[]): Promise<number> {
    if (this.#isJudged) await this.#transaction.query(dropJudge())
    await this.#transaction.query(`ANALYZE ${quoteTable(REPLACEMENT)}`)
    await this.#transaction.query(lockForReplacement(this.#plan.table))
    // another session may have added a foreign key while the new rows came; now the lock lets no other one in
    this.#facts = await readFacts(this.#transaction, this.#plan)
    this.#expectReplaceable()
    if (!this.#key) return this.#replaceAll(shapes)
    const replaced = this.#replacedBy(shapes)
    const isMerged = this.#facts.incoming.length > 0 || !this.#isWhole(shapes)
    if (isMerged) return this.#difference(replaced)
    this.#transaction.before('SAVEPOINT pg_batch_replace')
    try {
      return await this.#difference(replaced)
    } catch (error) {
      if (!isServerError(error) || !isRefusedTogether(error.code)) throw error
      // rows exchange the values of another unique key
      this.#transaction.before('ROLLBACK TO SAVEPOINT pg_batch_replace')
      await this.#transaction.query(deleteChanged(replaced, shapes[0]!))
      return this.#run(insertNew(replaced, shapes[0]!))
    }
  }

  /**
   * What cannot be judged before the end is missing: columns with a DEFAULT, which a row may lack, and rows
   * that a trigger of the target may change first.
   */
  async #judgeRows(): Promise<void> {
    const { table, columns } = this.#plan
    const { rows } = await this.#transaction.query(judgeFacts(table))
    const facts = JSON.parse(rows[0]!.facts as string) as JudgeFacts
    if (facts.mayChange) return
    const given = columns.flatMap(({ known }) => (known && !known.column.hasDefault ? [known.column] : []))
    const names = new Set<string | null>(given.map(({ name }) => name))
    const isGiven = (key: { columns: readonly (string | null)[] }): boolean =>
      key.columns.every(name => names.has(name))
    const judged = { checks: facts.checks.filter(isGiven), outgoing: facts.outgoing.filter(isGiven) }
    const required = given.filter(({ notNull }) => notNull).map(({ name }) => name)
    for (const text of judgeStaged(REPLACEMENT, table, judged, required)) await this.#transaction.query(text)
    this.#isJudged = judged.outgoing.length > 0
  }

  async #difference(replaced: Replaced): Promise<number> {
    const { incoming } = this.#facts
    // the rows of the table that refer to a missing row have other references by then
    const deletesLast = incoming.some(({ isOwn }) => isOwn)
    if (!deletesLast) await this.#deleteMissing(replaced)
    let changed = 0
    for (const shape of replaced.shapes) {
      if (hasKey(replaced, shape)) changed += await this.#run(writeChanged(replaced, shape))
    }
    if (deletesLast) await this.#deleteMissing(replaced)
    // these look like missing rows, and a DEFAULT may give a row the key of another new one
    for (const shape of replaced.shapes) changed += await this.#run(insertWithoutKey(replaced, shape))
    return changed
  }

  async #deleteMissing(replaced: Replaced): Promise<void> {
    const cascading = this.#facts.incoming.filter(({ deletes }) => deletes)
    if (cascading.length > 0) await this.#transaction.query(lockMissing(replaced))
    for (const key of cascading) {
      const { rows } = await this.#transaction.query(refersToMissing(replaced, key))
      if (rows[0]!.refers === 'true') throw this.#wouldChange(key)
    }
    await this.#run(deleteMissing(replaced))
  }

  async #replaceAll(shapes: readonly MergeShape[]): Promise<number> {
    const replaced = { merge: this.#plan.merge!, shapes, target: this.#target }
    await this.#run(`DELETE FROM ${this.#target}`)
    let inserted = 0
    for (const shape of shapes) inserted += await this.#run(insertAllOf(replaced, shape))
    return inserted
  }

  #replacedBy(shapes: readonly MergeShape[]): Replaced {
    const { conflict } = this.#key!
    const { fixed } = this.#plan.replacement!
    // equal keys may be written differently; where something refers to them they stay as they are
    const keys = this.#facts.incoming.length > 0 ? [] : conflict.keys.filter(name => !fixed.includes(name))
    const merge = { ...this.#plan.merge!, conflict: { ...conflict, update: [...keys, ...conflict.update] } }
    return { merge, shapes, target: this.#target }
  }

  /** Returns true when all rows have a value for every column. */
  #isWhole([shape, other]: readonly MergeShape[]): boolean {
    return !other && shape?.columns.length === this.#key!.conflict.columnCount
  }

  async #run(text: string): Promise<number> {
    const { rowCount } = await this.#transaction.query(text)
    return rowCount ?? 0
  }

  #expectReplaceable(): void {
    const { incoming, hidesRows } = this.#facts
    const name = quoteTable(this.#plan.table)
    if (hidesRows) throw refused(hiddenRowsReason(name))
    const hidden = incoming.find(({ isHidden, deletes }) => isHidden && deletes)
    if (hidden) {
      throw refused(
        `${hidden.child} refers to ${name} by ${quoted(hidden)}, and row-level security hides rows of it ` +
          'from this role: they could be changed without being noticed',
      )
    }
    if (!this.#key) {
      const changed = incoming.find(({ isOwn, deletes }) => !isOwn && deletes)
      if (!changed) return
      throw refused(
        `${changed.child} refers to ${name} by ${quoted(changed)}, which would change its rows: write all ` +
          'columns of a unique key, so that rows are compared by it',
      )
    }
    const { keys, update } = this.#key.conflict
    const updated = incoming.find(
      ({ updates, references }) =>
        updates && references.some(column => !keys.includes(column) && update.includes(column)),
    )
    if (updated) {
      throw refused(
        `${updated.child} refers to ${name} by ${quoted(updated)} with ON UPDATE, which would change its ` +
          `rows with columns that are not in the key (${keys.join(', ')})`,
      )
    }
  }

  #wouldChange(key: IncomingKey): PgBatchError {
    const name = quoteTable(this.#plan.table)
    const reason =
      `${key.child} still refers, by ${quoted(key)}, to rows of ${name} that the new data lacks: deleting ` +
      'them would change its rows. Delete or change these first, or keep the rows'
    return new PgBatchError('REFUSED', reason, { outcome: 'rolled-back', constraint: key.constraint })
  }
}

async function readFacts(transaction: Transaction, { table }: TablePlan): Promise<ReplacementFacts> {
  const { rows } = await transaction.query(replacementFacts(table))
  return JSON.parse(rows[0]!.facts as string) as ReplacementFacts
}

function quoted({ constraint }: IncomingKey): string {
  return quoteIdentifier(constraint)
}

function refused(reason: string): PgBatchError {
  return new PgBatchError('REFUSED', reason, { outcome: 'rolled-back' })
}
