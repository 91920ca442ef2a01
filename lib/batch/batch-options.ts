import {
  checkAbortSignal,
  checkFunction,
  checkObject,
  checkWaitMs,
  expectOption,
  integerFrom,
  integerOrInfinityFrom,
} from '../options/checks.ts'
import { defaultsTo, givenOption, optional, type Resolved, resolveOptions } from '../options/option-table.ts'

/** The options of BatchTransform. `maxBytes` without `sizeOf` is a type error, and throws. */
export type BatchTransformOptions<T> = BatchTransformSettings<T> &
  (BatchSizes<T> | { [Key in keyof BatchSizes<T>]?: undefined })

interface BatchSizes<T> {
  /**
   * The maximum of the sum of a batch's item sizes. A single item may be larger: it travels alone. In the
   * unit of `sizeOf`; an integer ≥ 1, or Infinity. Raising it costs memory: up to two batches are held.
   * @default none
   */
  maxBytes?: number | undefined
  /**
   * Returns the size of an item: a finite number ≥ 0. Anything else, or an exception, destroys the stream.
   * Called once for each item, before the item joins a batch. Without `maxBytes` the sizes only appear as
   * `bytes` of the 'batch' event.
   * @default none: `bytes` is 0
   */
  sizeOf: (item: T) => number
}

interface BatchTransformSettings<T> {
  /**
   * The maximum number of items in a batch; an integer ≥ 1. With `maxBytes` also Infinity: batches leave by
   * bytes. Raising it means fewer and larger transactions, and costs memory: up to two batches are held.
   * @default 1000
   */
  maxCount?: number | undefined
  /**
   * The maximum time that an item waits in an unfinished batch while downstream is ready. Milliseconds > 0
   * and ≤ 2147483647. With Infinity there is no timer: a batch leaves by count, by bytes, by `flush()` or at
   * the end. Raising it means fuller batches, and costs freshness at low traffic.
   * @default 100
   */
  maxWaitMs?: number | undefined
  /**
   * Called once, if the stream is destroyed (by an error, `destroy()` or `signal`), with every item that was
   * written and not handed downstream, in order. The documentation of BatchTransform says which items those
   * are. Not called if there are none. What it throws becomes a process warning, and never hides why the
   * stream was destroyed.
   * @default none: the items are dropped
   */
  onDiscard?: ((items: T[]) => void) | undefined
  /**
   * Aborting it destroys the stream with an AbortError. The stream's listener is removed when the stream
   * closes.
   * @default none
   */
  signal?: AbortSignal | undefined
}

/** @param hasMaxBytes bytes bound the batches, so that the count need not */
function optionTable<T>(hasMaxBytes: boolean) {
  return {
    maxCount: defaultsTo(1000, hasMaxBytes ? integerOrInfinityFrom(1) : integerFrom(1)),
    maxBytes: defaultsTo(Number.POSITIVE_INFINITY, integerOrInfinityFrom(1)),
    sizeOf: optional(checkFunction<(item: T) => number>),
    maxWaitMs: defaultsTo(100, checkWaitMs),
    onDiscard: optional(checkFunction<(items: T[]) => void>),
    signal: optional(checkAbortSignal),
  }
}

export type ResolvedBatchOptions<T> = Resolved<ReturnType<typeof optionTable<T>>>

/**
 * @param prefix comes before an option's name in messages
 * @throws TypeError that says what was expected and what came
 */
export function resolveBatchOptions<T>(
  options: BatchTransformOptions<T> | undefined,
  prefix = '',
): ResolvedBatchOptions<T> {
  const input = options === undefined ? {} : checkObject('options', options, asObject(options))
  const maxBytes = givenOption(input, 'maxBytes')
  if (maxBytes !== undefined) {
    const { sizeOf } = input
    const expected = `a function, which \`${prefix}maxBytes\` needs`
    expectOption(`${prefix}sizeOf`, sizeOf, expected, typeof sizeOf === 'function')
  }
  return resolveOptions('BatchTransform', optionTable<T>(Number.isFinite(maxBytes)), input, prefix)
}

/** Returns how to write a size that was given in place of an object. */
function asObject(options: unknown): string | undefined {
  return typeof options === 'number' ? `write \`{ maxCount: ${options} }\`` : undefined
}
