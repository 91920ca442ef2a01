/**
 * Returns what a value is, for messages that must not show the value itself: `a string`, `an array`, `null`.
 */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
