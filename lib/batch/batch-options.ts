import {
  checkAbortSignal,
  checkFunction,
  checkObject,
  checkWaitMs,
  expectOption,
  integerFrom,
  integerOrInfinityFrom,
} from '../options/checks.ts'
import { defaultsTo, optional, type Resolved, resolveOptions } from '../options/option-table.ts'

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

function optionTable<T>() {
  return {
    maxCount: defaultsTo(1000, integerFrom(1)),
    maxBytes: defaultsTo(Number.POSITIVE_INFINITY, integerOrInfinityFrom(1)),
    sizeOf: optional(checkFunction<(item: T) => number>),
    maxWaitMs: defaultsTo(100, checkWaitMs),
    onDiscard: optional(checkFunction<(items: T[]) => void>),
    signal: optional(checkAbortSignal),
  }
}

export type ResolvedBatchOptions<T> = Resolved<ReturnType<typeof optionTable<T>>>

/**
 * @param prefix stands before an option's name in messages
 * @throws TypeError that says what was expected and what came
 */
export function resolveBatchOptions<T>(
  options: BatchTransformOptions<T> | undefined,
  prefix = '',
): ResolvedBatchOptions<T> {
  const given = options === undefined ? {} : checkObject('options', options)
  if (given.maxBytes !== undefined) {
    const { sizeOf } = given
    const expected = `a function, for \`${prefix}maxBytes\` needs it`
    expectOption(`${prefix}sizeOf`, sizeOf, expected, typeof sizeOf === 'function')
  }
  return resolveOptions('BatchTransform', optionTable<T>(), given, prefix)
}
