import { isWellFormedJson, RawJson, spelledNumber } from '../../values/exact-json.ts'
import { endOfString, endOfValue, startOfToken, stringOf } from '../../values/text/json-text.ts'
import { type SourceRow, setOwn } from '../rows.ts'

/**
 * Matches numbers that JavaScript may write differently: 16 digits, zeros at the end of a fraction, an
 * exponent, a negative zero, a number below 0.000001. It matches inside strings too, which only costs time.
 */
const OTHER_SPELLING = /:\s*(?:-0(?![\d.])|-?(?:\d{16}|0\.0{6}|[\d.]{17}|\d+(?:\.\d*0(?!\d)|(?:\.\d+)?[eE])))/

/**
 * Parses the JSON of one row. Numbers keep their spelling (`LongNumber`), objects and lists their text
 * (`RawJson`), so that a column of json, numeric or text gets the text of the file. Of a repeated key the
 * last value counts.
 * @returns the value of the text, which need not be a row
 * @throws SyntaxError for text that is not JSON, and for a key with half of a surrogate pair
 */
export function parseJsonRow(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (typeof value === 'number') return spelledNumber(text.trim())
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  if (!isWellFormedJson(text, () => Object.keys(value)))
    throw new SyntaxError('half of a surrogate pair in a key')
  const start = text.indexOf('{') + 1
  const isFlat = text.indexOf('{', start) < 0 && text.indexOf('[', start) < 0
  return isFlat && !OTHER_SPELLING.test(text) ? value : readRow(text, start)
}

/** Reads an object. `start` is the index after its brace. */
function readRow(text: string, start: number): SourceRow {
  const row: SourceRow = {}
  for (let at = startOfToken(text, start); text[at] !== '}'; at = startOfToken(text, at)) {
    const keyEnd = endOfString(text, at)
    const key = stringOf(text, at, keyEnd)
    const valueStart = startOfToken(text, keyEnd)
    at = endOfValue(text, valueStart)
    setOwn(row, key, readValue(text, valueStart, at))
  }
  return row
}

function readValue(text: string, start: number, end: number): unknown {
  const first = text[start]!
  if (first === '{' || first === '[') return new RawJson(text.slice(start, end))
  if (first === '"') return stringOf(text, start, end)
  if (first === 't' || first === 'f') return first === 't'
  return first === 'n' ? null : spelledNumber(text.slice(start, end))
}

/** The maximum of PostgreSQL's arrays. */
const MAX_DIMENSIONS = 6

/**
 * Returns the elements of a list, whose objects keep their text. A list that is nested too deep keeps its
 * text.
 */
export function readList(list: RawJson, dimensions = MAX_DIMENSIONS): readonly unknown[] | RawJson {
  if (dimensions === 0) return list
  const { text } = list
  const elements: unknown[] = []
  for (let at = startOfToken(text, 1); text[at] !== ']'; at = startOfToken(text, at)) {
    const end = endOfValue(text, at)
    const element = readValue(text, at, end)
    elements.push(isList(element) ? readList(element, dimensions - 1) : element)
    at = end
  }
  return elements
}

export function isList(value: unknown): value is RawJson {
  return value instanceof RawJson && value.text.startsWith('[')
}
