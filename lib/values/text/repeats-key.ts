import { BACKSLASH, COLON, LINE_FEED, RETURN, SPACE, TAB } from './ascii.ts'

/** Returns true if an object in valid JSON has a key twice: `JSON.parse()` and jsonb drop one of them. */
export function repeatsKey(text: string): boolean {
  const keys = keysOf(text)
  // the usual text has each key once, in whatever object; with an escape, two texts may be the same key
  if (new Set(keys).size === keys.length && !text.includes('\\')) return false
  let kept = 0
  JSON.parse(text, (_key, value) => {
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      kept += Object.keys(value).length
    return value
  })
  return kept < keys.length
}

/** Returns the keys of all objects, as written. No pattern: a long string would overflow its stack. */
function keysOf(text: string): string[] {
  const keys: string[] = []
  for (let start = text.indexOf('"'); start >= 0; ) {
    const end = endOfString(text, start)
    let after = end + 1
    while (isBlank(text.charCodeAt(after))) after++
    if (text.charCodeAt(after) === COLON) keys.push(text.slice(start + 1, end))
    start = text.indexOf('"', after)
  }
  return keys
}

/** Returns the index of the quote that ends the string. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, at: number): boolean {
  let before = at
  while (text.charCodeAt(before - 1) === BACKSLASH) before--
  return (at - before) % 2 === 1
}

function isBlank(code: number): boolean {
  return code === SPACE || code === LINE_FEED || code === RETURN || code === TAB
}
