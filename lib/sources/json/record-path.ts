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
