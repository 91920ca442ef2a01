import { type KafkaPlace, partitionKey } from './position.ts'

/**
 * Commits offsets, one request at a time: what comes while one is under way goes with the next one. So there is a
 * commit for each batch while batches are slow, and rows never wait for it. One that fails is told and not tried again
 * by itself: its messages are in PostgreSQL, the next commit covers it, and if there is none they are delivered again.
 */
export class OffsetCommits {
  readonly #commit: (offsets: readonly KafkaPlace[]) => Promise<void>
  readonly #onFailure: (error: Error) => void
  #waiting = new Map<string, KafkaPlace>()
  #running: Promise<void> | undefined

  constructor(commit: (offsets: readonly KafkaPlace[]) => Promise<void>, onFailure: (error: Error) => void) {
    this.#commit = commit
    this.#onFailure = onFailure
  }

  add(offsets: readonly KafkaPlace[]): void {
    for (const offset of offsets) this.#waiting.set(partitionKey(offset.topic, offset.partition), offset)
    this.#running ??= this.#run()
  }

  /** Leaves out what waits for its turn. */
  forget(): void {
    this.#waiting = new Map()
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      const offsets = [...this.#waiting.values()]
      this.#waiting = new Map()
      try {
        await this.#commit(offsets)
      } catch (error) {
        this.#onFailure(error as Error)
      }
    }
    this.#running = undefined
  }
}
