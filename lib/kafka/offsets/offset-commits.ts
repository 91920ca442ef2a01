import { partitionKey, type TopicPartitionOffset } from './position.ts'

/**
 * Commits offsets, one request at a time. Offsets that come during a request go with the next one, so that
 * slow batches have a commit each, and rows never wait for commits. A commit that fails is reported and not
 * retried: its messages are in PostgreSQL, and the next commit covers them. Without a next commit, they are
 * delivered again.
 */
export class OffsetCommits {
  readonly #commit: (offsets: readonly TopicPartitionOffset[]) => Promise<void>
  readonly #onFailure: (error: Error) => void
  #waiting = new Map<string, TopicPartitionOffset>()
  #running: Promise<void> | undefined

  constructor(
    commit: (offsets: readonly TopicPartitionOffset[]) => Promise<void>,
    onFailure: (error: Error) => void,
  ) {
    this.#commit = commit
    this.#onFailure = onFailure
  }

  add(offsets: readonly TopicPartitionOffset[]): void {
    for (const offset of offsets) this.#waiting.set(partitionKey(offset.topic, offset.partition), offset)
    this.#running ??= this.#run()
  }

  /** Drops the offsets that wait. */
  forget(): void {
    this.#waiting = new Map()
  }

  /** Resolves when no commit is in flight. */
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
