/** Keys that lead from a document to its records. None: each document is a record. */
export type RecordPath = readonly string[]

const KEY = /(?:("(?:[^"\\]|\\.)+")|([^".]+))(\.|$)/y

/**
 * Parses `data`, `a.b`, or `a."b.c"` for a key with a dot. A single dot is the document itself.
 * @throws SyntaxError for another text
 */
export function parseRecordPath(text: string): RecordPath {
  const keys: string[] = []
  if (text === '.') return keys
  KEY.lastIndex = 0
  for (let dot = '.'; dot === '.'; ) {
    const found = KEY.exec(text)
    if (!found) throw new SyntaxError('expected keys with dots between them')
    const [, quoted, plain, end] = found
    keys.push(quoted === undefined ? plain! : (JSON.parse(quoted) as string))
    dot = end!
  }
  return keys
}

/** Returns the text of a path, as `parseRecordPath` takes it. */
export function recordPathText(path: RecordPath): string {
  if (path.length === 0) return '.'
  return path.map(key => (/^[^".]+$/.test(key) ? key : JSON.stringify(key))).join('.')
}

/** The first document of some JSON, as far as its beginning shows it. */
export interface FirstDocument {
  /** The paths of its lists of objects, the shallowest first. */
  readonly lists: readonly RecordPath[]
  /** The index after it, if it ends in the text. */
  readonly end: number | undefined
}

/** A string, and whether it is a key; the rest of the text, if a string does not end; or a bracket. */
const TOKEN = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"(\s*:)?|"[\s\S]*$|[{}\]]|\[(?=(\s*\{)?)/g

/** Rows are not looked for any deeper. */
const MAX_KEYS = 10

/** Looks at the beginning of text that should be JSON. A list whose path is not valid JSON is left out. */
export function firstDocument(text: string): FirstDocument {
  const lists: RecordPath[] = []
  /** The key of each open object and list: '' for the outermost, undefined for one that is not valid. */
  const open: (string | undefined)[] = []
  /** How many are open when the outermost list begins. */
  let listDepth = Number.POSITIVE_INFINITY
  let key: string | undefined = ''
  let end: number | undefined
  for (const { 0: token, 1: colon, 2: brace, index } of text.matchAll(TOKEN)) {
    if (colon !== undefined) key = parseKey(token.slice(0, -colon.length))
    else if (token === '{') open.push(key)
    else if (token === '[') {
      const isOutermost = open.length < listDepth
      if (isOutermost && brace !== undefined && open.length <= MAX_KEYS) {
        const path = [...open, key].slice(1)
        if (isKnown(path)) lists.push(path)
      }
      if (isOutermost) listDepth = open.length
      open.push(key)
    } else if (token === '}' || token === ']') {
      open.pop()
      if (open.length === listDepth) listDepth = Number.POSITIVE_INFINITY
      end = open.length === 0 ? index + 1 : undefined
      if (end !== undefined) break
    }
  }
  return { lists: lists.toSorted((a, b) => a.length - b.length), end }
}

function parseKey(token: string): string | undefined {
  try {
    return JSON.parse(token) as string
  } catch {
    return undefined
  }
}

function isKnown(path: readonly (string | undefined)[]): path is RecordPath {
  return !path.includes(undefined)
}
