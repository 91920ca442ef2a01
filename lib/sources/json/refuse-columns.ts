import { FormatUnknown } from '../source-error.ts'
import { firstDocument } from './record-path.ts'

/** How JSON may have the values of a table, if not in a list of objects. */
interface Layout {
  readonly what: string
  /** Judges a whole object. Undefined: only its beginning is judged. */
  readonly isOne?: (object: Record<string, unknown>) => boolean
  /** The beginning of one that is too long to be judged as a whole. */
  readonly beginning: RegExp
}

const LAYOUTS: readonly Layout[] = [
  {
    what: 'an object of columns, whose values are numbered, as to_json() of pandas writes it',
    isOne: object => areNumbered(Object.values(object)),
    beginning: /^\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{\s*"0"\s*:[^,{}[\]]*,\s*"1"\s*:/,
  },
  {
    what: 'an object of numbered rows, as to_json(orient="index") of pandas writes it',
    isOne: object => hasNumbers(object) && Object.values(object).every(isObject),
    beginning: /^\s*\{\s*"0"\s*:\s*\{/,
  },
  {
    what: 'an object of names and lists of values, as to_json(orient="split") of pandas writes it',
    isOne: ({ columns, data }) => isList(columns) && isList(data) && data.every(isList),
    beginning: /^\s*\{\s*"columns"\s*:\s*\[[^\]{}]*\]\s*,\s*"(?:index|data)"\s*:\s*\[/,
  },
  {
    what: 'an object with a list for each column',
    isOne: object => areColumns(Object.values(object)),
    beginning: /^\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\[[^[\]{}]*$/,
  },
]

const AS_ROWS = 'write a list of objects, with to_json(orient="records") in pandas'

/**
 * Throws for an object that has a table by columns, or by numbers: its values would be rows or cells of
 * their own.
 * @param text the beginning of an input that is one object, or the whole input
 * @throws FormatUnknown
 */
export function refuseColumns(text: string, name: string): void {
  const { end } = firstDocument(text)
  const object = end === undefined ? undefined : parsed(text.slice(0, end))
  const found = LAYOUTS.find(({ isOne, beginning }) =>
    end === undefined ? beginning.test(text) : object && isOne?.(object),
  )
  if (!found) return
  const itself = 'or say --record-path . if the object itself is a row'
  throw new FormatUnknown(`${name}: it is ${found.what}; ${AS_ROWS}, ${itself}`)
}

/** Throws for a list of lists of values, which have no names. @throws FormatUnknown */
export function refuseLists(text: string, name: string): void {
  if (!/^\s*\[\s*\[\s*(?:"|-?\d|null|true|false)/.test(text)) return
  const csv = `jq -r '.[] | @csv' FILE | pg-batch load - --no-header --table TABLE`
  throw new FormatUnknown(`${name}: it is a list of lists, whose values have no names; as CSV: ${csv}`)
}

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
  if (!columns.every(isObject) || !columns.every(hasNumbers)) return false
  const rows = columns.map(column => Object.keys(column).length)
  return rows.every(count => count === rows[0]) && rows.length * (rows[0] ?? 0) > 1
}

/** Returns true for lists of values that are equally long. */
function areColumns(lists: readonly unknown[]): boolean {
  if (lists.length < 2 || !lists.every(isList)) return false
  const [first = []] = lists
  return first.length > 1 && lists.every(list => list.length === first.length && !list.some(isObject))
}
