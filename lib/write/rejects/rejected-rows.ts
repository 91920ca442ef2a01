import type { Transaction } from '../../connection/transaction/transaction.ts'
import type { PgBatchError } from '../../errors.ts'
import { type Position, positionOf, type ResolvedPosition } from '../checkpoint/position.ts'
import type { WritePlan } from '../plan/plan.ts'
import { type BinaryColumn, NO_TEXTS, withTexts } from '../plan/texts/row-texts.ts'
import { textsOfBytes } from '../plan/texts/texts-of-bytes.ts'
import { arrayIndexOf, type Batch } from '../rows/batch.ts'
import { type DeadLetterTable, type RejectedRow, storeDeadLetters } from './dead-letter.ts'
import type { RejectBudget } from './reject-budget.ts'

export interface RejectContext<Item> {
  readonly budget: RejectBudget
  readonly deadLetterTable: DeadLetterTable | undefined
  readonly checkpoint: { readonly position: (item: Item) => Position } | undefined
  readonly position: ((item: Item) => Position) | undefined
  /** Returns what a reject holds in place of an item that has no row, or a row that fits no column. */
  readonly rejectedItem: ((item: Item) => unknown) | undefined
}

export interface Reject<Item> {
  readonly batch: Batch<Item>
  /** Index into the batch's items. */
  readonly index: number
  /** Undefined where `toRow` made no row of the item. */
  readonly row: object | undefined
  readonly isDelete: boolean
  readonly error: PgBatchError
}

/**
 * The rows that one transaction rejects. Each takes one from the budget that all transactions of the stream
 * share.
 */
export class RejectedRows<Item> {
  readonly #context: RejectContext<Item>
  readonly #rows: RejectedRow<Item>[] = []
  /** Values whose text only the server knows. */
  readonly #binary = new Map<RejectedRow<Item>, readonly BinaryColumn[]>()
  #reserved = 0

  constructor(context: RejectContext<Item>) {
    this.#context = context
  }

  get all(): readonly RejectedRow<Item>[] {
    return this.#rows
  }

  /** How many rejects were taken from the budget. */
  get reserved(): number {
    return this.#reserved
  }

  /** @throws the row's error, when the budget is used up */
  add(reject: Reject<Item>, plan: WritePlan<Item>): void {
    const { batch, index, row, isDelete, error } = reject
    const { budget, rejectedItem } = this.#context
    if (!budget.take(1)) throw error
    this.#reserved++
    const item = batch.items[index] as Item
    const texts = row ? plan.textsOf(row) : NO_TEXTS
    const { values, withoutText, binary } = texts
    const rejected: RejectedRow<Item> = {
      row: texts === NO_TEXTS && rejectedItem ? rejectedItem(item) : row ? plan.objectOf(row) : item,
      item,
      values,
      withoutText,
      ...(isDelete ? { operation: 'delete' as const } : {}),
      error,
      batchId: batch.id,
      index: arrayIndexOf(batch, index),
      position: this.#positionOf(item),
    }
    this.#rows.push(rejected)
    if (binary.length > 0) this.#binary.set(rejected, binary)
  }

  /** Puts the rows into the order of the batches. */
  sort(): void {
    this.#rows.sort((a, b) => a.batchId - b.batchId || a.index - b.index)
  }

  /**
   * Adds the texts that only the server knows, then stores the rows in the dead-letter table, if there is
   * one.
   */
  async store(transaction: Transaction, target: WritePlan<Item>['table']): Promise<void> {
    const { deadLetterTable } = this.#context
    if (this.#binary.size > 0) await this.#readBinaryValues(transaction)
    if (deadLetterTable) await storeDeadLetters(transaction, deadLetterTable, target, this.#rows)
  }

  async #readBinaryValues(transaction: Transaction): Promise<void> {
    const texts = await textsOfBytes(transaction, [...this.#binary.values()].flat())
    for (const [index, reject] of this.#rows.entries()) {
      const binary = this.#binary.get(reject)
      if (binary) this.#rows[index] = { ...reject, ...withTexts(reject, binary, texts) }
    }
  }

  #positionOf(item: Item): ResolvedPosition | undefined {
    const { checkpoint, position } = this.#context
    if (checkpoint) return positionOf(checkpoint.position, item, 'checkpoint.position')
    return position && positionOf(position, item, 'position')
  }
}
