import { codecFor } from '../../encode/codecs/codec-for.ts'
import { copyObstacleOf } from '../../table/copy-obstacle.ts'
import { isInsertable } from '../../table/insertable.ts'
import type { Table } from '../../types.ts'

/**
 * Returns why COPY sends text and not binary, which is faster: the columns whose types have no binary form.
 * @param columns those that are written; undefined for all of the table
 * @returns undefined if COPY sends binary, or the table takes no COPY
 */
export function whyText(
  table: Table,
  columns: readonly string[] | undefined,
  isUpsert: boolean,
): string | undefined {
  if (copyObstacleOf(table, isUpsert) !== undefined) return undefined
  const written = table.columns.filter(({ name }) => columns?.includes(name) ?? true).filter(isInsertable)
  const without = written.filter(({ type }) => codecFor(type).binary === undefined)
  if (without.length === 0) return undefined
  const list = without.map(({ name, sqlType }) => `"${name}" (${sqlType})`).join(', ')
  return `text, because of ${without.length === 1 ? 'the column' : 'the columns'} ${list}`
}
