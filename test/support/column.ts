import type { Column } from '../../lib/types.ts'

/** Returns a column of a built-in type, as the catalogue describes one without constraints or a DEFAULT. */
export function column(name: string, type = name): Column {
  return {
    name,
    type: { oid: 0, name: type, sqlName: type, builtIn: true, kind: 'base' },
    sqlType: name,
    notNull: false,
    hasDefault: false,
    generated: false,
    identity: 'none',
  }
}
