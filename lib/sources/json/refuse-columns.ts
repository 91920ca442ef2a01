import { nameOf } from '../input/bytes.ts'
import { shellWord } from '../shell-word.ts'
import { FormatUnknown } from '../source-error.ts'
import { firstDocument } from './first-document.ts'

/** How JSON may have the values of a table, if not in a list of objects. */
interface Layout {
  readonly what: string
  /** A row of a single line may look like it. */
  readonly mayBeRow?: true
  /** Judges a whole object. Undefined: only its beginning is judged. */
  readonly isOne?: (object: Record<string, unknown>) => boolean
  /**
   * The beginning of one that is too long to be judged as a whole. It has a second member of the same kind:
   * the first one alone may be a row's own.
   */
  readonly beginning: RegExp
}

const KEY = String.raw`\s*"[^"\\]*(?:\\.[^"\\]*)*"\s*:\s*`
/** The values of a list or an object that has no other in it. */
const VALUES = String.raw`[^{}[\]]*`

const LAYOUTS: readonly Layout[] = [
  {
    what: 'an object of columns, whose values are numbered, as to_json() of pandas writes it',
    isOne: object => areNumbered(Object.values(object)),
    beginning: new RegExp(String.raw`^\s*\{${KEY}\{\s*"0"\s*:${VALUES}\}\s*,${KEY}\{\s*"0"\s*:`),
  },
  {
    what: 'an object of numbered rows, as to_json(orient="index") of pandas writes it',
    isOne: object => hasNumbers(object) && Object.values(object).every(isObject),
    beginning: new RegExp(String.raw`^\s*\{\s*"0"\s*:\s*\{${VALUES}\}\s*,\s*"1"\s*:\s*\{`),
  },
  {
    what: 'an object of names and lists of values, as to_json(orient="split") of pandas writes it',
    isOne: ({ columns, data }) => isList(columns) && isList(data) && data.every(isList),
    beginning: /^\s*\{\s*"columns"\s*:\s*\[[^\]{}]*\]\s*,\s*"(?:index|data)"\s*:\s*\[/,
  },
  {
    what: 'an object with a list for each column',
    mayBeRow: true,
    isOne: object => areColumns(Object.values(object)),
    beginning: new RegExp(String.raw`^\s*\{${KEY}\[${VALUES}\]\s*,${KEY}\[`),
  },
]

const AS_ROWS = 'write a list of objects, with to_json(orient="records") in pandas'

/**
 * Throws for an object that has a table by columns, or by numbers: its values would be rows or cells of
 * their own.
 * @param text the beginning of an input that is one object, or the whole input
 * @param isLine it is one line, which may be a row of NDJSON
 * @throws FormatUnknown
 */
export function refuseColumns(text: string, name: string, isLine = false): void {
  const { end } = firstDocument(text)
  const object = end === undefined ? undefined : parsed(text.slice(0, end))
  const found = LAYOUTS.filter(({ mayBeRow }) => !(isLine && mayBeRow)).find(({ isOne, beginning }) =>
    end === undefined ? beginning.test(text) : object && isOne?.(object),
  )
  if (!found) return
  const mayBeLine = !text.slice(0, end).trim().includes('\n')
  const itself = 'or say --record-path . if the object itself is a row'
  const lines = mayBeLine ? ', --format ndjson if each line is one' : ''
  throw new FormatUnknown(`${name}: it is ${found.what}; ${AS_ROWS}, ${itself}${lines}`)
}

/**
 * Throws for a list of lists of values, which have no names.
 * @param keepsMalformed a list may be a malformed record before rows, so that a second list is needed
 * @throws FormatUnknown
 */
export function refuseLists(text: string, name: string, keepsMalformed = false): void {
  if (!(keepsMalformed ? TWO_LISTS : ONE_LIST).test(text)) return
  const jq = `jq -r '.[] | @csv'${name === nameOf('-') ? '' : ` ${shellWord(name)}`}`
  const csv = `${jq} | pg-batch load - --no-header --table TABLE`
  throw new FormatUnknown(`${name}: it is a list of lists, whose values have no names; as CSV: ${csv}`)
}

const ONE_LIST = /^\s*\[\s*\[\s*(?:"|-?\d|null|true|false)/
const TWO_LISTS = new RegExp(String.raw`^\s*\[\s*\[${VALUES}\]\s*,\s*\[`)

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value)
}

/** Returns true for the keys 0, 1 and so on. */
function hasNumbers(object: Record<string, unknown>): boolean {
  const keys = Object.keys(object)
  return keys.length > 0 && keys.every((key, index) => key === String(index))
}

/** Returns true for objects with the same numbers as keys. A single value may be a row's own. */
function areNumbered(columns: readonly unknown[]): boolean {
  if (columns.length < 2 || !columns.every(isObject) || !columns.every(hasNumbers)) return false
  const rows = columns.map(column => Object.keys(column).length)
  return rows.every(count => count === rows[0])
}

/** Returns true for lists of values that are equally long. */
function areColumns(lists: readonly unknown[]): boolean {
  if (lists.length < 2 || !lists.every(isList)) return false
  const [first = []] = lists
  return first.length > 1 && lists.every(list => list.length === first.length && !list.some(isObject))
}
