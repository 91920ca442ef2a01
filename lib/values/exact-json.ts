import { randomUUID } from 'node:crypto'
import { endOfString, endOfValue, startOfToken, stringOf } from './json-text.ts'

/**
 * JSON in which no number loses a digit. A JavaScript number holds 15 decimal digits for certain; a number
 * that it would round, flush to zero or call infinite arrives as a `LongNumber`, with the digits of the text.
 */
export class LongNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }

  toJSON(): string {
    return MARK + this.text
  }
}

/** JSON that came as text, which stays what it was: its blanks, the order of its keys, its numbers. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** What the text means. */
  get value(): unknown {
    return JSON.parse(this.text)
  }

  toJSON(): unknown {
    return this.value
  }
}

/** Begins the strings that stand for long numbers inside JSON text for a moment; no input can know it. */
const MARK = `${randomUUID()}:`
const MARKED = new RegExp(`"${MARK}([^"]+)"`, 'g')

/** The digits, dots and exponents that a double might not hold. Also matches inside strings: it only costs time. */
const SUSPECT = /\d{16}|[\d.]{17}|\d[eE][-+]?\d/

/**
 * `JSON.parse`, with long numbers kept whole, in time that grows with the text and for any nesting. Throws what
 * `JSON.parse` throws.
 * @param toNumber makes the value of a number's text
 */
export function parseExactJson(text: string, toNumber: (text: string) => unknown = exactNumber): unknown {
  const value: unknown = JSON.parse(text)
  return SUSPECT.test(text) ? readTokens(text, toNumber) : value
}

/** An escape that may be half of a surrogate pair. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/

/**
 * True when the strings of some JSON are whole: half of a surrogate pair has no UTF-8, and is U+FFFD where it is sent
 * all the same. Only escapes can be such halves, in text that was UTF-8.
 * @param strings called where there is such an escape
 */
export function isWellFormedJson(text: string, strings: () => Iterable<string>): boolean {
  if (!SURROGATE_ESCAPE.test(text)) return true
  for (const string of strings()) if (!isWellFormed(string)) return false
  return true
}

/** True for text without half of a surrogate pair. */
export function isWellFormed(text: string): boolean {
  // Node has it from 20 on; the library of TypeScript's target does not
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed()
}

/** All strings and keys of a value that came from JSON. */
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

/** Builds the value of text that is known to be JSON. */
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

/** The JavaScript number for a JSON number's text, or the text itself where the number would differ. */
export function exactNumber(text: string): number | LongNumber {
  return isExact(text) ? Number(text) : new LongNumber(text)
}

/** The same for a number that JavaScript would write in another way, `10.50` for example. */
export function spelledNumber(text: string): number | LongNumber {
  const number = Number(text)
  return String(number) === text ? number : new LongNumber(text)
}

/** `JSON.stringify`, with long numbers and JSON inside written as they were, and a bigint as its digits. */
export function toJsonText(value: unknown): string {
  if (value instanceof RawJson) return value.text
  const texts: string[] = []
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key: string, made: unknown) {
    const given = this[key] // before its `toJSON`
    if (given instanceof RawJson) return `${MARK}#${texts.push(given.text) - 1}`
    return typeof made === 'bigint' ? MARK + made : made
  })
  return text.replace(MARKED, (_, mark: string) => (mark[0] === '#' ? texts[Number(mark.slice(1))]! : mark))
}

/** Whether a double is the very number that a text says. */
export function isExact(text: string): boolean {
  if (text.length <= 15 && !/[eE]/.test(text)) return true
  const number = Number(text)
  return Number.isFinite(number) && decimal(String(number)) === decimal(text)
}

/** Longer ones are of numbers that no double holds, or of a zero. */
const MAX_EXPONENT = 20

/** One spelling for equal decimals: sign, digits without outer zeros, and the power of ten of the last one. */
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

/** A regular expression for zeros at the end looks from each zero on: the square of a long text's length. */
function lengthWithoutZeros(digits: string): number {
  let length = digits.length
  while (digits[length - 1] === '0') length--
  return length
}
