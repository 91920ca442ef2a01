import { inspect } from 'node:util'
import { nearest } from '../values/names/nearest.ts'
import { MAX_TIMER_MS } from '../values/time/timer-limit.ts'
import { OF_BATCHES, OTHER_NAMES } from './other-names.ts'

/**
 * Returns `value` with the type that was proved, or throws a TypeError that names the option `name`, says
 * what was expected, and shows what came.
 */
export type Check<Checked> = (name: string, value: unknown) => Checked

/**
 * Throws ``Expected `maxCount` to be an integer ≥ 1, got `0` (number)`` unless `holds`.
 * @param hint what to write or to look at instead, which follows a colon
 */
export function expectOption<Proved>(
  name: string,
  value: unknown,
  expected: string,
  holds: boolean,
  hint?: string,
): asserts value is Proved {
  if (holds) return
  const message = `Expected \`${name}\` to be ${expected}, got ${describe(value)}`
  throw optionError(hint === undefined ? message : `${message}: ${hint}`)
}

/** Returns the hint for a string where an array of strings is expected: ``write `['id', 'name']` ``. */
export function inArray(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  if (value === '*') return 'name each of them'
  const names = value.split(',').map(name => inspect(name.trim()))
  return `write \`[${names.join(', ')}]\``
}

/** Returns the error of every wrong option: a TypeError with the code that Node's own streams use. */
export function optionError(message: string): TypeError & { code: 'ERR_INVALID_ARG_VALUE' } {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' as const })
}

/**
 * Returns a value as messages show it: `0` (number). Of an object only the class, and of a URL only the
 * scheme: the rest may be secret.
 */
export function describe(value: unknown): string {
  const shown = typeof value === 'string' ? value.replace(/:\/\/.*$/s, '://…') : value
  const text = inspect(shown, { depth: -1, maxStringLength: 40, breakLength: Number.POSITIVE_INFINITY })
  if (value === undefined || value === null) return text
  return `\`${text}\` (${Array.isArray(value) ? 'array' : typeof value})`
}

export function integerFrom(min: number): Check<number> {
  return (name, value) => {
    const holds = Number.isSafeInteger(value) && Number(value) >= min
    expectOption<number>(name, value, `an integer ≥ ${min}`, holds)
    return value
  }
}

export function integerOrInfinityFrom(min: number): Check<number> {
  return (name, value) => {
    const holds = value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && Number(value) >= min)
    expectOption<number>(name, value, `an integer ≥ ${min}, or Infinity`, holds)
    return value
  }
}

/** Checks how long a timer may run; Infinity means no timer. */
export function checkWaitMs(name: string, value: unknown): number {
  const holds = typeof value === 'number' && value > 0 && (value <= MAX_TIMER_MS || value === Infinity)
  expectOption<number>(name, value, `a number > 0 and ≤ ${MAX_TIMER_MS}, or Infinity`, holds)
  return value
}

/** Checks a time limit that always ends. */
export function timeoutMsFrom(min: number): Check<number> {
  return (name, value) => {
    const holds = Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= MAX_TIMER_MS
    expectOption<number>(name, value, `an integer from ${min} to ${MAX_TIMER_MS}`, holds)
    return value
  }
}

export function checkString(name: string, value: unknown): string {
  expectOption<string>(name, value, 'a string that is not empty', typeof value === 'string' && value !== '')
  return value
}

export function checkFlag(name: string, value: unknown): boolean {
  expectOption<boolean>(name, value, 'true or false', typeof value === 'boolean')
  return value
}

export function oneOf<const Word extends string>(...words: readonly Word[]): Check<Word> {
  return (name, value) => {
    const expected = `one of ${words.map(word => `'${word}'`).join(', ')}`
    expectOption<Word>(name, value, expected, (words as readonly unknown[]).includes(value))
    return value
  }
}

/**
 * Checks only that the value is a function: its parameters are the type `Signature` that the caller declares.
 */
export function checkFunction<Signature>(name: string, value: unknown): Signature {
  expectOption<Signature>(name, value, 'a function', typeof value === 'function')
  return value
}

/** @param hint what to write instead, which follows a colon */
export function checkObject(name: string, value: unknown, hint?: string): Record<string, unknown> {
  const holds = typeof value === 'object' && value !== null && !Array.isArray(value)
  expectOption<Record<string, unknown>>(name, value, 'an object', holds, hint)
  return value
}

/** Checks the shape and not the class, so that a signal of another realm or a polyfill passes. */
export function checkAbortSignal(name: string, value: unknown): AbortSignal {
  const holds =
    typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value
  const hint = value instanceof AbortController ? 'write `controller.signal`' : undefined
  expectOption<AbortSignal>(name, value, 'an AbortSignal', holds, hint)
  return value
}

/**
 * Throws for a key that `owner` does not have, and suggests the nearest one; it never names an `internal`
 * one.
 */
export function checkKnownKeys(
  owner: string,
  options: object,
  known: readonly string[],
  internal: readonly string[] = [],
): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key) || internal.includes(key)) continue
    const meant = meantBy(key, known)
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`
    throw optionError(
      `Expected the options of ${owner} to be among ${known.join(', ')}, got \`${key}\`.${hint}`,
    )
  }
}

/** Returns the option that is probably meant, in backquotes. */
function meantBy(key: string, known: readonly string[]): string | undefined {
  const [near] = nearest(key, known)
  if (near !== undefined) return `\`${near}\``
  const name = Object.hasOwn(OTHER_NAMES, key) ? OTHER_NAMES[key]! : ''
  if (known.includes(name)) return `\`${name}\``
  if (!Object.hasOwn(OF_BATCHES, key)) return undefined
  const option = OF_BATCHES[key]!
  return known.includes('batch') ? `\`batch.${option}\`` : `\`${option}\` of BatchTransform`
}
