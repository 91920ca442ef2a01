import type { PgResultLike } from '../../connection/pg-types.ts'
import { isServerError, UNDEFINED_TABLE } from '../../connection/server-error.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'
import type { PgBatchError } from '../../errors.ts'
import {
  addPartitions,
  lockAndWatch,
  lockPartitions,
  storeIndexedPositions,
  storePositions,
} from '../../table/checkpoint-sql.ts'
import type { TableParts } from '../../table/identifier.ts'
import { RepeatedOffsetError } from '../faults/failure.ts'
import { arrayIndexOf, type Batch } from '../rows/batch.ts'
import { checkWatched, watchedValues } from './check-watched.ts'
import {
  type CommittedPosition,
  type CommittedPositions,
  checkpointRegressed,
  isRegressed,
} from './committed-positions.ts'
import { ensureItemIndex } from './item-index.ts'
import { type ItemReaders, isRepeated, LastItems } from './last-items.ts'
import { type Position, positionOf, type ResolvedPosition } from './position.ts'
import { orderIn, orderOf, type SourceOrder, toStored } from './source-order.ts'

/** The `checkpoint` option, its defaults in place. */
export interface CheckpointPlan<Item> {
  readonly name: string
  readonly table: TableParts
  readonly position: (item: Item) => Position
  readonly lastItems: LastItems<Item>
  /** Positions that are known to be committed: a server that has less has lost commits. */
  readonly committed: CommittedPositions
  /** The table of checkpoints is known to have the column for indexes of items. */
  hasItemIndex: boolean
}

/** What one transaction has added to a checkpoint. */
export interface CheckpointProgress<Item> {
  readonly plan: CheckpointPlan<Item>
  /** The highest position that it stores for each partition. */
  readonly reached: ReadonlyMap<string, SourceOrder>
  readonly lastItems: LastItems<Item>
}

/** Notes what a committed transaction has stored: from now on the server must not have less. */
export function noteProgress<Item>({ plan, reached, lastItems }: CheckpointProgress<Item>): void {
  plan.lastItems.addAll(lastItems)
  for (const [partition, order] of reached) plan.committed.note({ name: plan.name, partition, order })
}

/**
 * The checkpoint's part in one transaction. It locks the partitions of each batch, finds out which items are
 * not in the table yet, and stores how far the transaction has come.
 */
export class CheckpointScope<Item> {
  readonly #plan: CheckpointPlan<Item>
  readonly #transaction: Transaction
  readonly #readers: ItemReaders<Item>
  /** Locked partitions, each with its highest item so far; undefined for a new partition. */
  readonly #highest = new Map<string, SourceOrder | undefined>()
  readonly #advanced = new Set<string>()
  /** Partitions whose highest item has an index. */
  readonly #indexed = new Set<string>()
  /** Partitions whose stored position has an index. */
  readonly #storedIndexes = new Set<string>()
  /** The items that this transaction has seen last; those of earlier transactions are in the plan. */
  readonly #last = new LastItems<Item>()
  /** What was committed before this transaction began: it can see that under any isolation level. */
  #watched: readonly CommittedPosition[]

  constructor(plan: CheckpointPlan<Item>, transaction: Transaction, readers: ItemReaders<Item>) {
    this.#plan = plan
    this.#transaction = transaction
    this.#readers = readers
    this.#watched = plan.committed.latest()
  }

  /** How far the checkpoint has come if this transaction is committed. */
  get progress(): CheckpointProgress<Item> {
    const reached = new Map([...this.#advanced].map(partition => [partition, this.#highest.get(partition)!]))
    return { plan: this.#plan, reached, lastItems: this.#last }
  }

  /**
   * Returns for each item of a batch whether it is still to be written.
   * @param beforeLock called before partitions are locked, which needs a connection without an open COPY
   * @throws RepeatedOffsetError for items that need an index to be distinguished
   * @throws PgBatchError with code CHECKPOINT_REGRESSED when the server has lost commits
   */
  async admit(batch: Batch<Item>, beforeLock: () => Promise<void>): Promise<readonly boolean[]> {
    const positions = batch.items.map(item => positionOf(this.#plan.position, item))
    this.#checkRepeated(batch, positions)
    if (!this.#plan.hasItemIndex && positions.some(({ index }) => index !== undefined)) {
      await beforeLock()
      this.#plan.hasItemIndex = await ensureItemIndex(this.#transaction, this.#plan.table)
    }
    const unlocked = new Set(
      positions.map(({ partition }) => partition).filter(key => !this.#highest.has(key)),
    )
    if (unlocked.size > 0) {
      await beforeLock()
      await this.#lock([...unlocked].sort(), batch.id)
    }
    return positions.map(position => this.#advance(position))
  }

  #checkRepeated(batch: Batch<Item>, positions: readonly ResolvedPosition[]): void {
    for (const [index, position] of positions.entries()) {
      const { partition } = position
      const next = { order: orderOf(position), item: batch.items[index]! }
      const previous = this.#last.get(partition) ?? this.#plan.lastItems.get(partition)
      if (isRepeated(previous, next, this.#readers))
        throw new RepeatedOffsetError({ batchId: batch.id, rowIndex: arrayIndexOf(batch, index) })
      this.#last.set(partition, next)
    }
  }

  #advance(position: ResolvedPosition): boolean {
    const { partition, index } = position
    const order = orderOf(position)
    const highest = this.#highest.get(partition)
    if (highest !== undefined && order <= highest) return false
    this.#highest.set(partition, order)
    this.#advanced.add(partition)
    if (index === undefined) this.#indexed.delete(partition)
    else this.#indexed.add(partition)
    return true
  }

  async #lock(partitions: string[], batchId: number): Promise<void> {
    const { name, table, committed } = this.#plan
    let rows = await this.#lockStored(partitions, batchId)
    const stored = new Map(rows.map(row => [row.partition as string, orderIn(row)]))
    for (const partition of partitions) {
      const known = committed.of(name, partition)
      const order = stored.get(partition)
      if (known && isRegressed(known, order)) throw checkpointRegressed(known, order, { batchId })
      if (order !== undefined) committed.note({ name, partition, order })
    }
    if (rows.length < partitions.length) {
      await this.#transaction.query(addPartitions(table), [name, partitions])
      rows = (await this.#transaction.query(lockPartitions(table), [name, partitions])).rows
    }
    for (const row of rows) {
      const partition = row.partition as string
      this.#highest.set(partition, orderIn(row))
      if (row.item_index !== null) this.#storedIndexes.add(partition)
    }
  }

  /**
   * Locks the stored positions. The first time, also reads the positions of partitions that earlier
   * transactions have written.
   */
  async #lockStored(partitions: string[], batchId: number): Promise<PgResultLike['rows']> {
    const { name, table } = this.#plan
    const watched = this.#watched.filter(
      known => known.name !== name || !partitions.includes(known.partition),
    )
    this.#watched = []
    try {
      if (watched.length === 0)
        return (await this.#transaction.query(lockPartitions(table), [name, partitions])).rows
      const { rows } = await this.#transaction.query(lockAndWatch(table), [
        name,
        partitions,
        ...watchedValues(watched),
      ])
      checkWatched(
        watched,
        rows.filter(({ locked }) => locked === 'no'),
        batchId,
      )
      return rows.filter(({ locked }) => locked === 'yes')
    } catch (error) {
      throw this.#withoutTable(error, partitions, watched, batchId) ?? error
    }
  }

  /**
   * Returns the error for a checkpoint table that was dropped, if it held positions that this stream knows.
   */
  #withoutTable(
    error: unknown,
    partitions: readonly string[],
    watched: readonly CommittedPosition[],
    batchId: number,
  ): PgBatchError | undefined {
    if (!isServerError(error) || error.code !== UNDEFINED_TABLE) return undefined
    const { name, committed } = this.#plan
    const [lost] = [...partitions.flatMap(partition => committed.of(name, partition) ?? []), ...watched]
    return lost && checkpointRegressed(lost, undefined, { batchId, cause: error })
  }

  /** Stores how far the transaction has come. */
  async store(): Promise<void> {
    if (this.#advanced.size === 0) return
    const { name, table } = this.#plan
    const partitions = [...this.#advanced]
    const reached = partitions.map(partition =>
      toStored(this.#highest.get(partition)!, this.#indexed.has(partition)),
    )
    const positions = reached.map(({ position }) => String(position))
    const needIndexes = partitions.some(key => this.#indexed.has(key) || this.#storedIndexes.has(key))
    this.#transaction.proveBefore()
    const { proof } = this.#transaction
    if (needIndexes) {
      const indexes = reached.map(({ itemIndex }) => itemIndex?.toString() ?? null)
      await this.#transaction.query(storeIndexedPositions(table, proof), [
        name,
        partitions,
        positions,
        indexes,
      ])
    } else {
      await this.#transaction.query(storePositions(table, proof), [name, partitions, positions])
    }
  }
}
