import { LongNumber, RawJson } from './exact-json.ts'

/** What a number, a date or an object itself takes, roughly. */
const VALUE_BYTES = 8

/** Returns about how many bytes a value takes, with all that is in it. It may refer to itself. */
export function sizeOfValue(whole: unknown): number {
  let size = 0
  // a list instead of recursion: JSON may be nested deeper than calls may be
  const waiting = [whole]
  let seen: Set<unknown> | undefined // flat rows need none
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value === 'string') size += value.length
    else if (value instanceof RawJson || value instanceof LongNumber) size += value.text.length
    else if (ArrayBuffer.isView(value)) size += value.byteLength
    else {
      size += VALUE_BYTES
      if (typeof value !== 'object' || value === null || seen?.has(value)) continue
      if (value !== whole) {
        seen ??= new Set([whole])
        seen.add(value)
      }
      for (const each of Object.values(value)) waiting.push(each)
    }
  }
  return size
}
