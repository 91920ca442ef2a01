import type { SourceColumn } from './source.ts'

/** Returns columns that hold the values of both files, whose columns have the same names. */
export function widerColumns(ours: readonly SourceColumn[], theirs: readonly SourceColumn[]): SourceColumn[] {
  return ours.map(column => {
    const other = theirs.find(({ name }) => name === column.name)!
    return {
      name: column.name,
      type: widerType(column.type, other.type),
      always: column.always && other.always,
      hasJsonWithin: column.hasJsonWithin || other.hasJsonWithin,
      nanoseconds: column.nanoseconds || other.nanoseconds,
    }
  })
}

/** Returns the narrowest type that holds the values of both. */
function widerType(a: string, b: string): string {
  if (a === b) return a
  for (const family of FAMILIES) {
    const [narrow, wide] = [family.indexOf(plain(a)), family.indexOf(plain(b))].sort((x, y) => x - y)
    if (narrow !== undefined && wide !== undefined && narrow >= 0) return family[wide]!
  }
  return 'text'
}

/**
 * Each type holds the values of those before it. Numerics of different precision have only plain numeric in
 * common.
 */
const FAMILIES = [
  ['smallint', 'integer', 'bigint', 'numeric'],
  ['real', 'double precision'],
]

function plain(type: string): string {
  return type.replace(/^numeric\(\d+,\d+\)$/, 'numeric')
}
