import { randomUUID } from 'node:crypto'
import { endOfString, endOfValue, startOfToken, stringOf } from './text/json-text.ts'

/**
 * A number of JSON text with all its digits. A JavaScript number is exact only up to 15 decimal digits. A
 * number that it would round, set to zero or make infinite is a `LongNumber`.
 */
export class LongNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }

  /** Returns the digits, as text: `JSON.stringify` has no way to write the number itself in Node.js 20. */
  toJSON(): string {
    metLong = true
    return this.text
  }

  /** Returns the digits: what `pg` and this package send for the number. */
  toPostgres(): string {
    return this.text
  }
}

/** `JSON.stringify` has met a `LongNumber`. */
let metLong = false

/** JSON as its original text, with its white space, the order of its keys, and its numbers. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** The parsed text. */
  get value(): unknown {
    return JSON.parse(this.text)
  }

  toJSON(): unknown {
    return this.value
  }

  /** Returns the text: what `pg` and this package send for the JSON. */
  toPostgres(): string {
    return this.text
  }
}

/** Starts the strings that represent long numbers while JSON text is made. No input can contain it. */
const MARK = `${randomUUID()}:`
const MARKED = new RegExp(`"${MARK}([^"]+)"`, 'g')

/** Digits and exponents that a double may not hold. It matches inside strings too, which only costs time. */
const SUSPECT = /\d{16}|[\d.]{17}|\d[eE][-+]?\d/

/**
 * Parses JSON without losing a digit of a number. It takes linear time, for any nesting.
 * @param toNumber makes a number's value of its text
 * @throws SyntaxError as `JSON.parse` does
 */
export function parseExactJson(text: string, toNumber: (text: string) => unknown = exactNumber): unknown {
  const value: unknown = JSON.parse(text)
  return SUSPECT.test(text) ? readTokens(text, toNumber) : value
}

/** An escape that may be half of a surrogate pair. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/

/**
 * Returns true if no string of some JSON has half of a surrogate pair, which has no UTF-8 form and would be
 * sent as U+FFFD. In text that was UTF-8 only an escape can be such a half.
 * @param strings returns the JSON's strings; called only if there is such an escape
 */
export function isWellFormedJson(text: string, strings: () => Iterable<string>): boolean {
  if (!SURROGATE_ESCAPE.test(text)) return true
  for (const string of strings()) if (!isWellFormed(string)) return false
  return true
}

/** Returns true for text without half of a surrogate pair. */
export function isWellFormed(text: string): boolean {
  // Node.js has this method from version 20 on, and TypeScript's library for that target does not
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed()
}

/** Yields all strings and keys of a value that came from JSON. */
export function* stringsIn(value: unknown): Generator<string> {
  const waiting = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next === 'string') yield next
    else if (Array.isArray(next)) for (const element of next) waiting.push(element)
    else if (typeof next === 'object' && next !== null && !(next instanceof LongNumber)) {
      for (const [key, inner] of Object.entries(next)) waiting.push(key, inner)
    }
  }
}

/** Returns the value of text that is known to be valid JSON. */
function readTokens(text: string, toNumber: (text: string) => unknown): unknown {
  const root: unknown[] = []
  const open: { readonly container: object; readonly isObject: boolean }[] = [
    { container: root, isObject: false },
  ]
  let key: string | undefined
  for (let at = startOfToken(text, 0); at < text.length; at = startOfToken(text, at)) {
    const start = at
    const first = text[start]!
    if (first === '}' || first === ']') {
      open.pop()
      at++
      continue
    }
    const { container, isObject } = open.at(-1)!
    if (isObject && key === undefined) {
      at = endOfString(text, start)
      key = stringOf(text, start, at)
      continue
    }
    let value: unknown
    if (first === '{' || first === '[') {
      at++
      value = first === '{' ? {} : []
      open.push({ container: value as object, isObject: first === '{' })
    } else {
      at = endOfValue(text, start)
      value = scalarOf(text, start, at, toNumber)
    }
    put(container, key, value)
    key = undefined
  }
  return root[0]
}

function scalarOf(text: string, start: number, end: number, toNumber: (text: string) => unknown): unknown {
  const first = text[start]!
  if (first === '"') return stringOf(text, start, end)
  if (first === 't' || first === 'f') return first === 't'
  return first === 'n' ? null : toNumber(text.slice(start, end))
}

function put(container: object, key: string | undefined, value: unknown): void {
  if (key === undefined) (container as unknown[]).push(value)
  else if (key !== '__proto__') (container as Record<string, unknown>)[key] = value
  else Object.defineProperty(container, key, { value, enumerable: true, writable: true, configurable: true })
}

/**
 * Returns the JavaScript number for a JSON number's text, or a `LongNumber` if that would be another number.
 */
export function exactNumber(text: string): number | LongNumber {
  return isExact(text) ? Number(text) : new LongNumber(text)
}

/** Returns a `LongNumber` also if JavaScript would write the number differently, as with `10.50`. */
export function spelledNumber(text: string): number | LongNumber {
  const number = Number(text)
  return String(number) === text ? number : new LongNumber(text)
}

/** Returns what `JSON.stringify` does, except that long numbers are numbers with all their digits. */
export function stringifyExact(value: unknown): string | undefined {
  metLong = false
  const text = JSON.stringify(value) as string | undefined
  return metLong ? toJsonText(value) : text
}

/**
 * Returns JSON text in which long numbers and `RawJson` keep their original text, and a bigint is its digits.
 */
export function toJsonText(value: unknown): string {
  if (value instanceof RawJson) return value.text
  // a function for each value takes several times as long
  if (isPlain(value)) return JSON.stringify(value)
  const texts: string[] = []
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key: string, made: unknown) {
    const original = this[key] // before its `toJSON`
    if (original instanceof RawJson) return `${MARK}#${texts.push(original.text) - 1}`
    return original instanceof LongNumber || typeof made === 'bigint' ? MARK + String(made) : made
  })
  return text.replace(MARKED, (_, mark: string) => (mark[0] === '#' ? texts[Number(mark.slice(1))]! : mark))
}

/** Returns true if a value consists of strings, numbers, booleans, null, arrays and plain objects. */
function isPlain(value: unknown): boolean {
  const waiting = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next === 'object' && next !== null && 'toJSON' in next) return false
    if (Array.isArray(next)) for (const element of next) waiting.push(element)
    else if (typeof next === 'object' && next !== null) {
      if (Object.getPrototypeOf(next) !== Object.prototype) return false
      for (const key in next) waiting.push((next as Record<string, unknown>)[key])
    } else if (typeof next !== 'string' && typeof next !== 'number' && typeof next !== 'boolean') {
      if (next !== null) return false
    }
  }
  return true
}

/** Returns true if a double holds exactly the number of a text. */
export function isExact(text: string): boolean {
  if (text.length <= 15 && !/[eE]/.test(text)) return true
  const number = Number(text)
  return Number.isFinite(number) && decimal(String(number)) === decimal(text)
}

/** A longer exponent is one of a zero, or of a number that no double holds. */
const MAX_EXPONENT = 20

/**
 * Returns one spelling for equal decimals: sign, digits without outer zeros, and the power of ten of the last
 * digit.
 */
function decimal(text: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    text.match(/^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.slice(0, lengthWithoutZeros(digits))
  if (significant === '') return '0'
  if (exponent.length > MAX_EXPONENT) return text
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)
  return `${sign}${significant}e${power}`
}

/** A loop, because a regular expression for zeros at the end takes quadratic time. */
function lengthWithoutZeros(digits: string): number {
  let length = digits.length
  while (digits[length - 1] === '0') length--
  return length
}
