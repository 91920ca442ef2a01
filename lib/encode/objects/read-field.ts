/**
 * Returns the value of a row by name, also from getters and inherited properties, so that instances of
 * classes are rows. For names that every object inherits, such as "constructor", use `readOwnField`.
 */
export function readField(row: object, name: string): unknown {
  return (row as Record<string, unknown>)[name]
}

export function readOwnField(row: object, name: string): unknown {
  return Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined
}

export function needsOwnField(name: string): boolean {
  return name in Object.prototype
}
