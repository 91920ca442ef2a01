import type { Conflict } from '../../table/merge/conflict.ts'
import { MAX_TABLE_COLUMNS, type Merge, type MergeColumn, mergeNames } from '../../table/merge/merge.ts'
import type { Column, PgType, Table } from '../../types.ts'
import type { PlannedColumn } from './planned-columns.ts'

/**
 * Plans how rows of a staging table are merged into the table.
 * @param writesTwice see `Merge`
 */
export function mergeInto(
  table: Table,
  columns: readonly PlannedColumn[],
  conflict: Conflict,
  writesTwice: boolean,
): Merge {
  const { schema, name } = table
  return {
    table: { schema, name },
    columns: columns.map(({ known }) => mergeColumn(known!.column)),
    conflict,
    missing: new Map(
      table.columns
        .filter(({ generated }) => !generated)
        .map(one => [one.name, `(${one.defaultSql ?? 'NULL'})::${one.sqlType}`]),
    ),
    generated: table.columns.flatMap(({ name, generatedSql }) =>
      generatedSql === undefined ? [] : [{ name, sql: generatedSql }],
    ),
    names: mergeNames(table.columns.map(({ name }) => name)),
    writesTwice,
    numbered: columns.length + 2 <= MAX_TABLE_COLUMNS,
  }
}

export function mergeColumn({ name, type, sqlType, collation }: Column): MergeColumn {
  const base = underDomains(type)
  const element = isPlainElement(base)
    ? { elementType: base.sqlName, elementOid: base.builtIn ? base.oid : undefined }
    : {}
  return { name, baseType: base.sqlName, ...element, sqlType, collation, truncated: isTruncated(type) }
}

function underDomains(type: PgType): PgType {
  return type.base ? underDomains(type.base) : type
}

/**
 * Returns true for a type whose values are elements of an array with commas between them. An array of arrays
 * would be one of their elements, `box` has semicolons, and other types may have anything.
 */
function isPlainElement({ kind, builtIn, name }: PgType): boolean {
  return kind === 'enum' || (kind === 'base' && builtIn && name !== 'box')
}

const TRUNCATED = ['varchar', 'bpchar', 'bit', 'varbit']

function isTruncated({ base, element, builtIn, name }: PgType): boolean {
  const inner = base ?? element
  return inner ? isTruncated(inner) : builtIn && TRUNCATED.includes(name)
}
