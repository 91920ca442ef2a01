import type { RecordPath } from './record-path.ts'

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
  /** How many objects are open around the outermost open list. Undefined: no list is open. */
  let aroundList: number | undefined
  let key: string | undefined = ''
  let end: number | undefined
  for (const { 0: token, 1: colon, 2: brace, index } of text.matchAll(TOKEN)) {
    if (colon !== undefined) key = parseKey(token.slice(0, -colon.length))
    else if (token === '{') open.push(key)
    else if (token === '[') {
      if (aroundList === undefined) {
        if (brace !== undefined && open.length <= MAX_KEYS) {
          const path = [...open, key].slice(1)
          if (isKnown(path)) lists.push(path)
        }
        aroundList = open.length
      }
      open.push(key)
    } else if (token === '}' || token === ']') {
      open.pop()
      if (open.length === aroundList) aroundList = undefined
      if (open.length > 0) continue
      end = index + 1
      break
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
