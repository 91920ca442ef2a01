import {
  checkAbortSignal,
  checkFunction,
  checkInteger,
  checkIntegerOrInfinity,
  checkKnownKeys,
  checkObject,
  checkWaitMs,
  expectOption,
  withDefaults,
} from '../options/checks.ts'

/** What BatchTransform takes. `maxBytes` without `sizeOf` cannot be typed, and throws. */
export type BatchTransformOptions<T> = BatchTransformSettings<T> &
  (BatchSizes<T> | { [Key in keyof BatchSizes<T>]?: undefined })

interface BatchSizes<T> {
  /**
   * The sizes of a batch's items never add up to more, except that a single item may be larger: it travels alone.
   * In the unit of `sizeOf`; an integer ≥ 1, or Infinity. Raising it costs memory: up to two batches are held.
   * @default none
   */
  maxBytes?: number | undefined
  /**
   * Called once for each item, before the item joins a batch. Returns a finite number ≥ 0; anything else, or an
   * exception, destroys the stream. Without `maxBytes` it only feeds `bytes` of the 'batch' event.
   * @default none: `bytes` is 0
   */
  sizeOf: (item: T) => number
}

interface BatchTransformSettings<T> {
  /**
   * No batch has more items. An integer ≥ 1. Raising it costs memory, up to two batches are held, and buys fewer
   * and larger transactions.
   * @default 1000
   */
  maxCount?: number | undefined
  /**
   * No item waits longer in an unfinished batch while downstream is ready. Milliseconds > 0 and ≤ 2147483647;
   * Infinity: no timer, a batch leaves by count, bytes, `flush()` or the end. Raising it costs freshness at low
   * traffic and buys fuller batches.
   * @default 100
   */
  maxWaitMs?: number | undefined
  /**
   * Gets, once and in order, every item that was written and not handed downstream when the stream was destroyed:
   * by an error, `destroy()` or `signal`. BatchTransform says what that includes. Not called when
   * nothing was held. What it throws becomes a process warning, and never hides why the stream was destroyed.
   * @default none: what was held is dropped
   */
  onDiscard?: ((items: T[]) => void) | undefined
  /**
   * Aborting it destroys the stream with an AbortError. The stream's listener is removed when the stream closes.
   * @default none
   */
  signal?: AbortSignal | undefined
}

const BATCH_DEFAULTS = Object.freeze({
  maxCount: 1000,
  maxBytes: Number.POSITIVE_INFINITY,
  sizeOf: undefined,
  maxWaitMs: 100,
  onDiscard: undefined,
  signal: undefined,
})

export interface ResolvedBatchOptions<T> {
  readonly maxCount: number
  readonly maxBytes: number
  readonly sizeOf: ((item: T) => number) | undefined
  readonly maxWaitMs: number
  readonly onDiscard: ((items: T[]) => void) | undefined
  readonly signal: AbortSignal | undefined
}

/** @throws TypeError that says what was expected and what came */
export function resolveBatchOptions<T>(
  options: BatchTransformOptions<T> | undefined,
): ResolvedBatchOptions<T> {
  const given = options === undefined ? {} : (checkObject('options', options) as typeof options)
  checkKnownKeys('BatchTransform', given, Object.keys(BATCH_DEFAULTS))
  const { maxCount, maxBytes, maxWaitMs, signal } = withDefaults(BATCH_DEFAULTS, given)
  const { sizeOf, onDiscard } = given
  expectOption(
    'sizeOf',
    sizeOf,
    given.maxBytes === undefined ? 'a function' : 'a function, for `maxBytes` needs it',
    typeof sizeOf === 'function' || (sizeOf === undefined && given.maxBytes === undefined),
  )
  return {
    maxCount: checkInteger('maxCount', maxCount, 1),
    maxBytes: checkIntegerOrInfinity('maxBytes', maxBytes, 1),
    sizeOf,
    maxWaitMs: checkWaitMs('maxWaitMs', maxWaitMs),
    onDiscard: onDiscard === undefined ? undefined : checkFunction('onDiscard', onDiscard),
    signal: signal === undefined ? undefined : checkAbortSignal('signal', signal),
  }
}
