import { endOfString, startOfToken } from './json-text.ts'

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
    const next = startOfToken(text, end)
    if (text.slice(end, next).includes(':')) keys.push(text.slice(start + 1, end - 1))
    start = text.indexOf('"', next)
  }
  return keys
}
