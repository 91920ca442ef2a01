import type { Cap } from './batch-policy.ts'

/** Why a batch left: the cap that it reached, or what asked for it first. */
export type BatchTrigger = Cap | 'wait' | 'flush' | 'end'

/** One batch, as the 'batch' event reports it. */
export interface BatchEvent {
  /** Items in the batch, from 1 to `maxCount`. */
  readonly count: number
  /** The sum of the items' sizes; 0 without `sizeOf`. */
  readonly bytes: number
  readonly trigger: BatchTrigger
  /**
   * Milliseconds between the batch's first item and its leaving. Far above `maxWaitMs`: downstream was not
   * ready.
   */
  readonly ageMs: number
}

/** The events of BatchTransform that have types of their own; the others are those of every Transform. */
export interface BatchTransformEvents<T> {
  /** A batch has left for downstream, which may not have handled it yet. */
  batch: [batch: BatchEvent]
  /** A batch is read. */
  data: [batch: T[]]
  /** The stream was destroyed with this error: what `sizeOf` threw, an AbortError, or the caller's own. */
  error: [error: Error]
}
