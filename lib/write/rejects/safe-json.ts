import { inspect, types } from 'node:util'
import { isError } from '../../values/is-error.ts'

/** Returns any value as JSON; what JSON cannot express becomes text. Never throws. */
export function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value, plainValue) ?? 'null'
  } catch {
    return JSON.stringify(shown(value))
  }
}

/** Replaces what JSON drops, or makes an empty object of, by the nearest thing that JSON can express. */
function plainValue(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  // as it was before any toJSON, which some libraries add to Map and Set
  const raw = (this as Record<string, unknown>)[key]
  if (value === null && types.isDate(raw)) return 'Invalid Date'
  if (types.isMap(raw) || types.isSet(raw)) return [...raw]
  if (isError(value)) return { name: value.name, message: value.message }
  return isInstance(value) ? withGetters(value) : value
}

function isInstance(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    return false
  const prototype = Object.getPrototypeOf(value)
  return prototype !== null && prototype !== Object.prototype
}

/**
 * Returns an instance of a class as a plain object, with the values of its getters and its prototypes: a row
 * may be an instance that has no properties of its own.
 */
function withGetters(value: object): object {
  const names = new Set(Object.keys(value))
  for (const key in value) names.add(key)
  for (let at = Object.getPrototypeOf(value); at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (get) names.add(name)
  }
  return Object.fromEntries([...names].map(name => [name, (value as Record<string, unknown>)[name]]))
}

function shown(value: unknown): string {
  try {
    return inspect(value, { depth: 4 })
  } catch {
    return 'a value that cannot be shown'
  }
}
