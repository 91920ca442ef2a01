import { shellWord } from '../shell-word.ts'
import { FormatUnknown } from '../source-error.ts'
import { firstDocument } from './first-document.ts'
import { recordPathText } from './record-path.ts'
import { refuseColumns, refuseLists } from './refuse-columns.ts'

/** Whether each line is an object, or documents may have any number of lines. */
export type JsonShape = 'lines' | 'documents'

/** The beginning of some JSON. */
export interface JsonHead {
  readonly text: string
  /** The text is the whole input. */
  readonly isWhole: boolean
}

export interface ShapeOptions {
  /** The shape that the user named. */
  readonly shape?: JsonShape | undefined
  /** Records that are not objects are kept apart, and are no reason to fail. */
  readonly keepsMalformed?: boolean | undefined
}

/** Bytes that show whether a document has lists of objects. */
const SAMPLE_BYTES = 64 * 1024
/** A first line that is longer is read as a document. */
const MAX_FIRST_LINE_BYTES = 1024 * 1024

/** Returns true if the shape can be judged by the head. */
export function showsShape(head: Buffer): boolean {
  const text = head.toString()
  const first = text.trimStart()[0]
  if (first !== undefined && first !== '{') return true
  const isLong = head.length >= (hasLine(text) ? SAMPLE_BYTES : MAX_FIRST_LINE_BYTES)
  return isLong && !mayEnd(text)
}

/** Returns true for text that is one object with lists, so that it matters whether more comes. */
function mayEnd(text: string): boolean {
  const { lists, end } = firstDocument(text)
  return lists.length > 0 && end !== undefined && text.slice(end).trim() === ''
}

/** Returns true for a head that can be judged before more of a pipe comes: a line that is an object. */
export function showsLine(head: Buffer): boolean {
  const text = head.toString()
  return hasLine(text) && isWholeObject(firstLines(text)[0]!)
}

/** The same, and the object cannot be one that holds the rows. */
export function showsRow(head: Buffer): boolean {
  return showsLine(head) && firstDocument(head.toString()).lists.length === 0
}

/**
 * Returns the shape of JSON.
 * @throws FormatUnknown for one object with a list of objects, which may be the rows, and for a table that is
 *   not written by rows
 */
export function judgeShape(head: JsonHead, name: string, options: ShapeOptions = {}): JsonShape {
  const { text, isWhole } = head
  const { shape, keepsMalformed } = options
  if (!text.trimStart().startsWith('{')) {
    refuseLists(text, name, keepsMalformed)
    return shape ?? 'documents'
  }
  const judged = shape ?? (isInLines(text) ? 'lines' : 'documents')
  const { lists, end } = firstDocument(text)
  const isOnly = end === undefined ? judged === 'documents' : isWhole && text.slice(end).trim() === ''
  const [path, ...others] = lists.map(recordPathText)
  if (isOnly && path === undefined) refuseColumns(text, name, judged === 'lines')
  if (path === undefined || !isOnly) return judged
  const also = others.length === 0 ? '' : ` (others: ${others.slice(0, 3).join(', ')})`
  const what = `${name}: it is an object that has a list of objects in "${path}"${also}`
  const rows = `say --record-path ${shellWord(path)} if these are the rows`
  const theirs = isGeoJson(text)
    ? `, --record-path ${shellWord(`${path}.properties`)} if their properties are`
    : ''
  throw new FormatUnknown(`${what}; ${rows}${theirs}, or --record-path . if the object itself is one`)
}

function isGeoJson(text: string): boolean {
  return /"type"\s*:\s*"FeatureCollection"/.test(text) && /"properties"\s*:\s*\{/.test(text)
}

/** The first line is an object, or the first two lines begin as objects and are not several each. */
function isInLines(text: string): boolean {
  const [first, second = ''] = firstLines(text)
  if (isWholeObject(first!)) return true
  return second.startsWith('{') && !mayContinue(first!) && !hasAnother(first!)
}

/** Returns true for a line with another object after its first. */
function hasAnother(line: string): boolean {
  const { end } = firstDocument(line)
  return end !== undefined && line.slice(end).trimStart().startsWith('{')
}

/** Returns true for a line after which a document may continue with an object: a value or an element. */
function mayContinue(line: string): boolean {
  if (line === '{' || line.endsWith(':')) return true
  const opened: string[] = []
  for (const [mark] of line.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (mark === '{' || mark === '[') opened.push(mark)
    else if (mark === '}' || mark === ']') opened.pop()
  }
  return opened.at(-1) === '['
}

/** Returns the first two lines that are not blank. */
function firstLines(text: string): string[] {
  return text
    .trimStart()
    .split('\n', 100)
    .map(line => line.trim())
    .filter(line => line !== '')
    .slice(0, 2)
}

function hasLine(text: string): boolean {
  return text.trimStart().includes('\n')
}

function isWholeObject(line: string): boolean {
  if (!line.startsWith('{')) return false
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}
