import { PgBatchError } from '../../errors.ts'
import { isEmptyChange, type TableChange } from '../../table/alter-table.ts'
import type { CurrentPlan } from '../plan/current-plan.ts'
import type { EvolvePolicy } from '../plan/evolve-policy.ts'
import type { WritePlan } from '../plan/plan.ts'
import type { Batch } from '../rows/batch.ts'
import type { AlteredTable } from './alter.ts'
import { newColumns } from './new-columns.ts'
import { widenedColumns } from './widened-columns.ts'

export interface EvolutionOptions<Item> {
  readonly policy: EvolvePolicy
  readonly current: CurrentPlan<Item>
  /** Changes the table; resolves to undefined where that was done already. */
  readonly alter: (table: WritePlan<Item>['table'], change: TableChange) => Promise<AlteredTable | undefined>
  readonly stop: AbortSignal
  /** Called after each change. */
  readonly onEvolve: (altered: AlteredTable) => void
}

/**
 * Changes the table to fit the rows, as the option `evolve` allows. The lanes of a stream share it, and one
 * of them changes the table at a time. The caller must not hold a client: a pool may have only one, and a
 * transaction with rows would stop the ALTER TABLE.
 */
export class Evolution<Item> {
  readonly #options: EvolutionOptions<Item>
  #added = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: EvolutionOptions<Item>) {
    this.#options = options
  }

  /** Returns true when a batch has keys that `addColumns` would make columns of. */
  wantsColumns(batch: Batch<Item>, plan: WritePlan<Item>): boolean {
    return this.#newColumns([batch], plan).length > 0
  }

  /**
   * Adds columns for the unknown keys of batches. Afterwards the current plan has them, also where
   * another writer was first.
   * @throws PgBatchError, `outcome: 'not-sent'`
   */
  async addColumns(batches: readonly Batch<Item>[], plan: WritePlan<Item>): Promise<void> {
    if (this.#newColumns(batches, plan).length === 0) return
    await this.#inTurn(() => this.#addMissing(batches))
  }

  /** Adds what the plan of now lacks: another lane may have added columns, another session renamed some. */
  async #addMissing(batches: readonly Batch<Item>[]): Promise<void> {
    const { current } = this.#options
    let before: WritePlan<Item>
    do {
      before = current.plan
      await this.#change({ added: this.#newColumns(batches, before), widened: [] })
    } while (current.plan !== before)
  }

  /**
   * Widens columns whose types do not hold a value of these batches, which the server has refused. Resolves
   * to true when the current plan is another one than `plan`, so that the same rows can be tried again.
   * @throws PgBatchError, `outcome: 'not-sent'`
   */
  async widenTypes(batches: readonly Batch<Item>[], plan: WritePlan<Item>): Promise<boolean> {
    const { policy, current } = this.#options
    // records of CSV have no values before the server has read them
    if (!policy.widenTypes || plan.takesRecords || widenedColumns(batches, plan).length === 0) return false
    return this.#inTurn(async () => {
      await this.#widen(widenedColumns(batches, current.plan))
      return current.plan !== plan
    })
  }

  /** Widens columns by one statement, or each by its own if the server refuses to alter one of them. */
  async #widen(widened: TableChange['widened']): Promise<void> {
    try {
      await this.#change({ added: [], widened })
    } catch (error) {
      if (widened.length < 2 || !isRefused(error)) throw error
      const results = []
      for (const column of widened) results.push(await this.#tryToWiden(column))
      if (!results.includes(true)) throw error
    }
  }

  /** Returns false if the column cannot be altered. */
  async #tryToWiden(column: TableChange['widened'][number]): Promise<boolean> {
    try {
      await this.#change({ added: [], widened: [column] })
      return true
    } catch (error) {
      if (!isRefused(error)) throw error
      return false
    }
  }

  #newColumns(batches: readonly Batch<Item>[], plan: WritePlan<Item>): TableChange['added'] {
    const { addColumns, maxNewColumns } = this.#options.policy
    return addColumns ? newColumns(batches, plan, maxNewColumns - this.#added) : []
  }

  async #change(change: TableChange): Promise<void> {
    if (isEmptyChange(change)) return
    const { current, alter, stop, onEvolve } = this.#options
    const altered = await alter(current.plan.table, change)
    if (altered) {
      this.#added += altered.added.length
      onEvolve(altered)
    }
    await current.introspectAgain(stop)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(work)
    this.#turn = run.catch(() => {})
    return run
  }
}

/** Returns true for an ALTER TABLE that the server has refused, and would refuse again. */
function isRefused(error: unknown): boolean {
  return error instanceof PgBatchError && error.code === 'REFUSED' && !error.retryable
}
