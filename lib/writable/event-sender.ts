import type { EventEmitter } from 'node:events'
import type { TableParts } from '../table/identifier.ts'
import type { Outcome } from '../types.ts'
import { CallbackError, toPgBatchError } from '../write/faults/failure.ts'
import type { RejectedRow } from '../write/rejects/dead-letter.ts'
import { publishCommit, publishEvolve, publishReject, publishRetry } from './diagnostics.ts'
import type { CommitEvent, EvolveEvent, PgBatchWritableEvents, RetryEvent } from './events.ts'

/**
 * Emits a stream's own events, and publishes the same to its `diagnostics_channel`.
 * Each method throws a PgBatchError with code CALLBACK_FAILED where a listener throws.
 */
export class EventSender<Item> {
  readonly #stream: EventEmitter
  readonly #table: TableParts

  constructor(stream: EventEmitter, table: TableParts) {
    this.#stream = stream
    this.#table = table
  }

  commit(commit: CommitEvent): void {
    this.#emit('commit', commit, 'committed', commit.batchId)
    publishCommit(this.#table, commit)
  }

  retry(retry: RetryEvent): void {
    this.#emit('retry', retry, retry.error.outcome)
    publishRetry(this.#table, retry)
  }

  reject(reject: RejectedRow<Item>): void {
    this.#emit('reject', reject, 'committed', reject.batchId)
    publishReject(this.#table, reject)
  }

  evolve(evolve: EvolveEvent): void {
    this.#emit('evolve', evolve, 'not-sent')
    publishEvolve(this.#table, evolve)
  }

  #emit<Name extends 'commit' | 'retry' | 'reject' | 'evolve'>(
    name: Name,
    event: PgBatchWritableEvents<Item>[Name][0],
    outcome: Outcome,
    batchId?: number,
  ): void {
    try {
      this.#stream.emit(name, event)
    } catch (cause) {
      throw toPgBatchError(new CallbackError(`on('${name}')`, cause), outcome, { batchId }, 'write')
    }
  }
}
