import { PgBatchError } from '../../errors.ts'
import type { IntrospectedPlan } from './introspect-plan.ts'
import type { WritePlan } from './plan.ts'

/**
 * Without urgency the catalogue is asked no more often than this: every batch may have rows with unknown
 * keys.
 */
export const MIN_MS_BETWEEN_REFRESHES = 2000

export interface RefreshOptions {
  /**
   * The stream fails unless the table has changed: the catalogue is asked at once. That happens once per
   * failure.
   */
  readonly urgent: boolean
  /** Aborted when the stream is destroyed: the catalogue is no longer asked. */
  readonly stop: AbortSignal
}

/**
 * Holds the plan that batches are written with, and replaces it when the table has changed. The lanes of a
 * stream share it. A transaction keeps the plan that it has begun with.
 */
export class CurrentPlan<Item> {
  #introspected: IntrospectedPlan<Item>
  readonly #introspect: () => Promise<IntrospectedPlan<Item>>
  #refreshedAt = Number.NEGATIVE_INFINITY
  /** The last refresh has found a change: a migration may be running, with more changes to come. */
  #foundChange = false
  #refreshing: Promise<void> | undefined

  /** @param introspect asks the catalogue and makes a plan */
  constructor(introspected: IntrospectedPlan<Item>, introspect: () => Promise<IntrospectedPlan<Item>>) {
    this.#introspected = introspected
    this.#introspect = introspect
  }

  get plan(): WritePlan<Item> {
    return this.#introspected.plan
  }

  /** True when `replaces` would ask the catalogue, even without urgency. */
  get mayRefresh(): boolean {
    const isRecent = performance.now() < this.#refreshedAt + MIN_MS_BETWEEN_REFRESHES
    return this.#introspected.table !== undefined && (this.#foundChange || !isRecent)
  }

  /**
   * Resolves to true when another plan has replaced `used`. Asks the catalogue if that is urgent or the last
   * refresh is not recent. The caller must not hold a client meanwhile: a pool may have only one.
   * @throws PgBatchError that is retryable, when the catalogue cannot be asked now
   */
  async replaces(used: WritePlan<Item>, { urgent, stop }: RefreshOptions): Promise<boolean> {
    // what failed may come of a change that a question under way has not seen
    if (urgent) await this.#refreshing?.catch(() => {})
    if (this.plan !== used) return true
    if (this.#introspected.table === undefined || stop.aborted || !(this.mayRefresh || urgent)) return false
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
    return this.plan !== used
  }

  /**
   * Introspects the table after this stream has altered it.
   * @throws PgBatchError that is retryable, when the catalogue cannot be asked now
   */
  async introspectAgain(stop: AbortSignal): Promise<void> {
    // one that runs may have begun before the change
    await this.#refreshing?.catch(() => {})
    await this.replaces(this.plan, { urgent: true, stop })
  }

  async #refresh(): Promise<void> {
    try {
      const introspected = await this.#introspect()
      this.#foundChange = JSON.stringify(introspected.table) !== JSON.stringify(this.#introspected.table)
      if (this.#foundChange) this.#introspected = introspected
    } catch (error) {
      if (!(error instanceof PgBatchError) || error.retryable) throw error
      this.#foundChange = false // the table as it is now cannot be written; the caller's error says why
    }
    this.#refreshedAt = performance.now()
  }
}
