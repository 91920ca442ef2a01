import { inspect } from 'node:util'
import { nearest } from './nearest.ts'

/**
 * Options are checked here and nowhere else: the reusable checks first, then each class's table of defaults and
 * the one function that resolves it. A check returns its value with the type that it has proved.
 */

/** What a check proves, beside the name of the option: ``Expected `maxCount` to be an integer ≥ 1, got `0` (number)``. */
export function expectOption<Proved>(
  name: string,
  value: unknown,
  expected: string,
  holds: boolean,
): asserts value is Proved {
  if (!holds) throw optionError(`Expected \`${name}\` to be ${expected}, got ${describe(value)}`)
}

/** The error of every wrong option: a TypeError with the code that Node's own streams use. */
export function optionError(message: string): TypeError & { code: 'ERR_INVALID_ARG_VALUE' } {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' as const })
}

/** A value as messages show it: `0` (number). Of an object only the class, for its fields may be secrets. */
export function describe(value: unknown): string {
  const text = inspect(value, { depth: -1, maxStringLength: 40, breakLength: Number.POSITIVE_INFINITY })
  return `\`${text}\` (${value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value})`
}

export function checkInteger(name: string, value: unknown, min: number): number {
  expectOption<number>(
    name,
    value,
    `an integer ≥ ${min}`,
    Number.isSafeInteger(value) && Number(value) >= min,
  )
  return value
}

export function checkIntegerOrInfinity(name: string, value: unknown, min: number): number {
  const holds = value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && Number(value) >= min)
  expectOption<number>(name, value, `an integer ≥ ${min}, or Infinity`, holds)
  return value
}

/** Node fires a longer timer after 1 ms: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_TIMER_MS = 2_147_483_647

/** How long a timer may run, Infinity for none. */
export function checkWaitMs(name: string, value: unknown): number {
  const holds = typeof value === 'number' && value > 0 && (value <= LONGEST_TIMER_MS || value === Infinity)
  expectOption<number>(name, value, `a number > 0 and ≤ ${LONGEST_TIMER_MS}, or Infinity`, holds)
  return value
}

export function checkString(name: string, value: unknown): string {
  expectOption<string>(name, value, 'a string that is not empty', typeof value === 'string' && value !== '')
  return value
}

export function checkOneOf<const Word extends string>(
  name: string,
  value: unknown,
  words: readonly Word[],
): Word {
  const expected = `one of ${words.map(word => `'${word}'`).join(', ')}`
  expectOption<Word>(name, value, expected, (words as readonly unknown[]).includes(value))
  return value
}

/** `Signature` is the caller's word: a function's parameters cannot be checked. */
export function checkFunction<Signature>(name: string, value: Signature): Signature {
  expectOption<Signature>(name, value, 'a function', typeof value === 'function')
  return value
}

export function checkObject(name: string, value: unknown): Record<string, unknown> {
  const holds = typeof value === 'object' && value !== null && !Array.isArray(value)
  expectOption<Record<string, unknown>>(name, value, 'an object', holds)
  return value
}

/** Told by its shape, so that a signal of another realm or a polyfill passes. */
export function checkAbortSignal(name: string, value: unknown): AbortSignal {
  const holds =
    typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value
  expectOption<AbortSignal>(name, value, 'an AbortSignal', holds)
  return value
}

/** Refuses a key that `owner` does not have, and names the one that was probably meant; `internal` ones are not told. */
export function checkKnownKeys(
  owner: string,
  options: object,
  known: readonly string[],
  internal: readonly string[] = [],
): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key) || internal.includes(key)) continue
    const [near] = nearest(key, known)
    const hint = near === undefined ? '' : ` Did you mean \`${near}\`?`
    throw optionError(
      `Expected the options of ${owner} to be among ${known.join(', ')}, got \`${key}\`.${hint}`,
    )
  }
}

/** The defaults, overlaid with what was given; a key whose value is undefined counts as not given. */
export function withDefaults<Defaults extends object>(
  defaults: Defaults,
  given: object,
): Record<keyof Defaults, unknown> {
  return {
    ...defaults,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  }
}

// --- BatchTransform ---

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
