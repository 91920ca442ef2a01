import { randomUUID } from 'node:crypto'

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

  toJSON(): unknown {
    return parseExactJson(this.text)
  }
}

/** Begins the strings that stand for long numbers inside JSON text for a moment; no input can know it. */
const MARK = `${randomUUID()}:`
const MARKED = new RegExp(`"${MARK}([^"]+)"`, 'g')

/** The digits, dots and exponents that a double might not hold. Also matches inside strings: it only costs time. */
const SUSPECT = /\d{16}|[\d.]{17}|\d[eE][-+]?\d/
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g

/**
 * `JSON.parse`, with long numbers kept whole. Throws what `JSON.parse` throws.
 * @param toLong makes what stands for a long number, of its text
 */
export function parseExactJson(text: string, toLong: (text: string) => unknown = toLongNumber): unknown {
  const value: unknown = JSON.parse(text)
  if (!SUSPECT.test(text)) return value
  let long = 0
  // the text is known to be JSON now, so that strings and numbers are told apart by their first character
  const marked = text.replace(STRING_OR_NUMBER, token => {
    if (token[0] === '"' || isExact(token)) return token
    long++
    return `"${MARK}${token}"`
  })
  return long === 0 ? value : JSON.parse(marked, (_key, value) => revive(value, toLong))
}

function toLongNumber(text: string): LongNumber {
  return new LongNumber(text)
}

function revive(value: unknown, toLong: (text: string) => unknown): unknown {
  return typeof value === 'string' && value.startsWith(MARK) ? toLong(value.slice(MARK.length)) : value
}

/** The JavaScript number for a JSON number's text, or the text itself where the number would differ. */
export function exactNumber(text: string): number | LongNumber {
  return isExact(text) ? Number(text) : new LongNumber(text)
}

/** `JSON.stringify`, with the long numbers inside written as they were, and a bigint as its digits. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(value, markBigint).replace(MARKED, '$1')
}

function markBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? MARK + value : value
}

function isExact(text: string): boolean {
  if (text.length <= 15 && !/[eE]/.test(text)) return true
  const number = Number(text)
  return Number.isFinite(number) && decimal(String(number)) === decimal(text)
}

/** One spelling for equal decimals: sign, digits without outer zeros, and the power of ten of the last one. */
function decimal(text: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    text.match(/^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)
  return `${sign}${significant}e${power}`
}
