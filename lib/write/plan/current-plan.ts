import { PgBatchError } from '../../errors.ts'
import type { Learned } from './learn-plan.ts'
import type { WritePlan } from './plan.ts'

/** Without urgency the catalogue is asked no more often than this: rows with stray keys may come all the time. */
export const MIN_MS_BETWEEN_LOOKS = 2000

export interface Doubt {
  /** The stream fails unless the table has changed: the catalogue is asked at once. That happens once per failure. */
  readonly urgent: boolean
  /** Aborted when the stream is destroyed: the catalogue is no longer asked. */
  readonly stop: AbortSignal
}

/**
 * The plan that batches are written by, and its replacement once the table has another definition. The lanes of a stream
 * share it. A transaction keeps the plan that it has begun with.
 */
export class CurrentPlan<Item> {
  #learned: Learned<Item>
  readonly #learn: () => Promise<Learned<Item>>
  #lookedAt = Number.NEGATIVE_INFINITY
  /** The last look has found a change: a migration may be under way, and more to come. */
  #foundChange = false
  #looking: Promise<void> | undefined

  /** @param learn asks the catalogue again */
  constructor(learned: Learned<Item>, learn: () => Promise<Learned<Item>>) {
    this.#learned = learned
    this.#learn = learn
  }

  get plan(): WritePlan<Item> {
    return this.#learned.plan
  }

  /** A doubt would have the catalogue asked now. */
  get mayLook(): boolean {
    const isRecent = performance.now() < this.#lookedAt + MIN_MS_BETWEEN_LOOKS
    return this.#learned.table !== undefined && (this.#foundChange || !isRecent)
  }

  /**
   * Resolves to true when there is another plan than `used` by now. Asks the catalogue when the doubt is urgent or the
   * last look is not recent.
   * No client may be held meanwhile: a pool may have only one.
   * @throws PgBatchError that is retryable, when the catalogue cannot be asked now
   */
  async replaces(used: WritePlan<Item>, { urgent, stop }: Doubt): Promise<boolean> {
    if (this.plan !== used) return true
    if (this.#learned.table === undefined || stop.aborted || !(this.mayLook || urgent)) return false
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
    return this.plan !== used
  }

  async #look(): Promise<void> {
    try {
      const learned = await this.#learn()
      this.#foundChange = JSON.stringify(learned.table) !== JSON.stringify(this.#learned.table)
      if (this.#foundChange) this.#learned = learned
    } catch (error) {
      if (!(error instanceof PgBatchError) || error.retryable) throw error
      this.#foundChange = false // what there is now cannot be written; the caller's error says why
    }
    this.#lookedAt = performance.now()
  }
}
