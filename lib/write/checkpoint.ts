import type { Transaction } from '../connection/transaction.ts'
import { addPartitions, lockPartitions, storePositions } from '../table/checkpoint-sql.ts'
import type { TableParts } from '../table/identifier.ts'
import type { Batch } from './batch.ts'
import { CallbackError } from './failure.ts'

/** Where an item stands in its source. Offsets grow within a partition, and may have gaps. */
export interface Position {
  /** @default '' */
  partition?: string | undefined
  /** An integer from 0 to 2^63 - 1. */
  offset: number | bigint
}

/** The `checkpoint` option, its defaults in place. */
export interface CheckpointPlan<Item> {
  readonly name: string
  readonly table: TableParts
  readonly position: (item: Item) => Position
}

/** A position, checked. */
export interface KnownPosition {
  readonly partition: string
  readonly offset: bigint
}

/** What a bigint column holds. */
const MAX_OFFSET = 2n ** 63n - 1n

/** @throws CallbackError for what is no position */
export function positionOf<Item>(
  ask: (item: Item) => Position,
  item: Item,
  option = 'checkpoint.position',
): KnownPosition {
  let position: Position
  try {
    position = ask(item)
  } catch (cause) {
    throw new CallbackError(option, cause)
  }
  const { partition = '', offset } = position ?? {}
  const whole = typeof offset === 'bigint' || Number.isSafeInteger(offset)
  if (typeof partition !== 'string' || !whole || offset < 0 || offset > MAX_OFFSET) {
    const cause = new TypeError(
      `Expected \`${option}\` to return { partition?: string, offset: an integer from 0 to 2^63 - 1 }`,
    )
    throw new CallbackError(option, cause)
  }
  return { partition, offset: BigInt(offset) }
}

/**
 * The checkpoint's part in one transaction: it locks the partitions of each batch, tells which of its items are not
 * in the table yet, and stores how far the transaction has come.
 */
export class CheckpointScope<Item> {
  readonly #plan: CheckpointPlan<Item>
  readonly #transaction: Transaction
  /** Locked partitions, each with its highest offset so far, or undefined for none. */
  readonly #highest = new Map<string, bigint | undefined>()
  readonly #advanced = new Set<string>()

  constructor(plan: CheckpointPlan<Item>, transaction: Transaction) {
    this.#plan = plan
    this.#transaction = transaction
  }

  /** The positions that this transaction stores: where it is known to be committed when they are reached. */
  get reached(): ReadonlyMap<string, bigint> {
    return new Map([...this.#advanced].map(partition => [partition, this.#highest.get(partition)!]))
  }

  /**
   * Returns for each item of a batch whether it is still to be written.
   * @param beforeLock called when partitions have to be locked, for which no COPY may be open
   */
  async admit(batch: Batch<Item>, beforeLock: () => Promise<void>): Promise<readonly boolean[]> {
    const positions = batch.items.map(item => positionOf(this.#plan.position, item))
    const unlocked = new Set(
      positions.map(({ partition }) => partition).filter(key => !this.#highest.has(key)),
    )
    if (unlocked.size > 0) {
      await beforeLock()
      await this.#lock([...unlocked].sort())
    }
    return positions.map(({ partition, offset }) => {
      const highest = this.#highest.get(partition)
      if (highest !== undefined && offset <= highest) return false
      this.#highest.set(partition, offset)
      this.#advanced.add(partition)
      return true
    })
  }

  async #lock(partitions: string[]): Promise<void> {
    const { name, table } = this.#plan
    let { rows } = await this.#transaction.query(lockPartitions(table), [name, partitions])
    if (rows.length < partitions.length) {
      await this.#transaction.query(addPartitions(table), [name, partitions])
      rows = (await this.#transaction.query(lockPartitions(table), [name, partitions])).rows
    }
    for (const { partition, position } of rows) {
      this.#highest.set(partition as string, position === null ? undefined : BigInt(position as string))
    }
  }

  async store(): Promise<void> {
    if (this.#advanced.size === 0) return
    const partitions = [...this.#advanced]
    const positions = partitions.map(partition => String(this.#highest.get(partition)))
    await this.#transaction.query(storePositions(this.#plan.table), [this.#plan.name, partitions, positions])
  }
}
