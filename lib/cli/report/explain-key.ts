import { generatedBy } from '../../table/insertable.ts'
import type { Column, Table } from '../../types.ts'
import { didYouMean } from '../../values/names/did-you-mean.ts'

/**
 * Returns why a key of a JSON row cannot be written, and which option helps. `replay` has neither --map nor
 * --columns.
 */
export function explainKey(
  key: string,
  column: Column | undefined,
  table: Table,
  { replay }: { replay?: boolean },
): string {
  if (column) {
    const keep = column.generated ? '' : "--identity keep writes the file's values, or "
    const hint = replay ? 'leave it out of the row' : 'name the others with --columns'
    return `it has "${key}", which ${table.name} generates itself (${generatedBy(column)}); ${keep}${hint}`
  }
  const known = table.columns.map(({ name }) => name)
  const what = `it has "${key}", which is not a column of ${table.name}`
  if (replay) return `${what}${didYouMean(key, known)}`
  return `${what}${didYouMean(key, known)}; --columns loads only those that you name`
}
