/**
 * Reads a row's value by name: getters and inherited ones too, so that instances of classes are rows.
 * Only what every object inherits is no value: a column named "constructor" is set by an own property.
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
