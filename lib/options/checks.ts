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
const MAX_TIMER_MS = 2_147_483_647

/** How long a timer may run, Infinity for none. */
export function checkWaitMs(name: string, value: unknown): number {
  const holds = typeof value === 'number' && value > 0 && (value <= MAX_TIMER_MS || value === Infinity)
  expectOption<number>(name, value, `a number > 0 and ≤ ${MAX_TIMER_MS}, or Infinity`, holds)
  return value
}

/** How long something may take at most; there is always an end. */
export function checkTimeoutMs(name: string, value: unknown): number {
  const holds = Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= MAX_TIMER_MS
  expectOption<number>(name, value, `an integer from 1 to ${MAX_TIMER_MS}`, holds)
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
