/** Where pg-promise, Drizzle, and the driver and the DataSource of TypeORM hold their pool of pg. */
const HOLDERS = [['$pool'], ['$client'], ['master'], ['driver', 'master']]

/** Returns where an object of another library holds a pool of pg: `.$pool`. Some can connect, too. */
export function heldPool(value: unknown): string | undefined {
  const path = HOLDERS.find(names => canConnect(names.reduce(propertyOf, value)))
  return path && `.${path.join('.')}`
}

export function canConnect(value: unknown): boolean {
  return typeof propertyOf(value, 'connect') === 'function'
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined
}
