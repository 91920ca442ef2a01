import type { Transaction } from '../../connection/transaction/transaction.ts'
import { quoteIdentifier } from '../../table/identifier.ts'

/** A foreign key of the table that rows go to. */
export interface ForeignKey {
  /** The quoted name of the table that it refers to. */
  readonly target: string
  /** The key refers to the table that rows go to. */
  readonly isSelf: boolean
  readonly columns: readonly KeyColumn[]
}

interface KeyColumn {
  readonly child: string
  readonly childType: string
  readonly parent: string
  readonly parentType: string
}

/**
 * Describes a foreign key by the schema, the table and the constraint that an error names; the last parameter
 * is the quoted name of the table that rows go to. There is no row for a key of another table, which refuses
 * the delete of a row that it refers to, or what a trigger writes. Nor is there one if a lookup of its keys
 * need not find what the server finds: another policy applies to this role, it may not read the table, some
 * parents may cover a period together, or a trigger may change the rows before they are stored.
 */
export const FOREIGN_KEY_SQL = `SELECT pg_catalog.json_build_object(
  'target', pg_catalog.format('%I.%I', fn.nspname, f.relname),
  'isSelf', f.oid IN (c.oid, pg_catalog.pg_partition_root(c.oid)),
  'columns', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'child', a.attname, 'childType', pg_catalog.format_type(a.atttypid, NULL),
      'parent', p.attname, 'parentType', pg_catalog.format_type(p.atttypid, NULL)) ORDER BY key.ord)
    FROM ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey))
      WITH ORDINALITY key(child, parent, ord)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.child
    JOIN pg_catalog.pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = key.parent))::text AS key
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class f ON f.oid = k.confrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
  WHERE k.contype = 'f' AND n.nspname = $1 AND c.relname = $2 AND k.conname = $3
    AND c.oid IN (SELECT pg_catalog.to_regclass($4)
      UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($4)))
    AND coalesce(pg_catalog.to_jsonb(k) ->> 'conperiod', 'false') = 'false'
    AND NOT c.relhasrules AND NOT pg_catalog.row_security_active(f.oid)
    AND pg_catalog.has_table_privilege(f.oid, 'SELECT')
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t
      WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgtype & 3 = 3 AND t.tgtype & 20 > 0)`

/** Keys of rows, by the index of the row. */
export type Keys = ReadonlyMap<number, readonly string[]>

/**
 * Asks for the rows whose parent is not in the table.
 * @param children what each row refers to
 * @param parents the keys of the rows themselves, if they may be parents
 * @returns for each such row the rows that have the key
 */
export async function missingParents(
  transaction: Transaction,
  key: ForeignKey,
  children: Keys,
  parents: Keys,
): Promise<Map<number, number[]>> {
  const values = [...valuesOf(children, key), ...valuesOf(parents, key)]
  const { rows } = await transaction.query(missingSql(key), values)
  const missing = new Map<number, number[]>()
  for (const { child, parent } of rows as { child: string; parent: string | null }[]) {
    const found = missing.get(Number(child)) ?? []
    if (parent !== null) found.push(Number(parent))
    missing.set(Number(child), found)
  }
  return missing
}

function valuesOf(keys: Keys, { columns }: ForeignKey): unknown[] {
  const texts = [...keys.values()]
  return [[...keys.keys()], ...columns.map((_, at) => texts.map(key => key[at]))]
}

function missingSql({ target, columns }: ForeignKey): string {
  const { length } = columns
  const cast = (side: 'child' | 'parent') =>
    columns.map((column, at) => `k${at}::${column[`${side}Type`]} AS k${at}`).join(', ')
  const list = (first: number, name: string) => {
    const texts = columns.map((_, at) => `$${first + 1 + at}::text[]`)
    const names = columns.map((_, at) => `k${at}`)
    return `unnest($${first}::int[], ${texts.join(', ')}) AS ${name}(item, ${names.join(', ')})`
  }
  const equal = (left: (at: number) => string) =>
    columns.map((_, at) => `${left(at)} = c.k${at}`).join(' AND ')
  const stored = equal(at => `t.${quoteIdentifier(columns[at]!.parent)}`)
  return `WITH c AS MATERIALIZED (SELECT item, ${cast('child')} FROM ${list(1, 'c')}),
    p AS MATERIALIZED (SELECT item, ${cast('parent')} FROM ${list(length + 2, 'p')})
    SELECT c.item::text AS child, p.item::text AS parent FROM c LEFT JOIN p ON ${equal(at => `p.k${at}`)}
    WHERE NOT EXISTS (SELECT 1 FROM ${target} t WHERE ${stored})`
}
