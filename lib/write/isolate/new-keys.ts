import type { Transaction } from '../../connection/transaction/transaction.ts'
import { quoteIdentifier, quoteTable } from '../../table/identifier.ts'
import { keyColumns, type Merge, type MergeColumn } from '../../table/merge/merge.ts'
import type { Keys } from './foreign-key.ts'

/**
 * Asks which rows an upsert certainly inserts: no row with their key is stored, and no other one is sent.
 * @param rows the key of each row
 */
export async function certainlyNew(transaction: Transaction, merge: Merge, rows: Keys): Promise<Set<number>> {
  const texts = [...rows.values()]
  const values = keyColumns(merge).map((_, at) => texts.map(key => key[at]))
  const { rows: found } = await transaction.query(newKeysSql(merge), [[...rows.keys()], ...values])
  return new Set((found as { item: string }[]).map(({ item }) => Number(item)))
}

function newKeysSql(merge: Merge): string {
  const columns = keyColumns(merge)
  const { keys, equals } = merge.conflict
  const arrays = columns.map((_, at) => `$${at + 2}::text[]`)
  const names = columns.map((_, at) => `k${at}`)
  const typed = columns.map((column, at) => `${typedKey(column, `k${at}`)} AS k${at}`)
  const same = columns.map(
    ({ name }, at) => `stored.${quoteIdentifier(name)} ${equals[keys.indexOf(name)]} given.k${at}`,
  )
  const given = `unnest($1::int[], ${arrays.join(', ')}) AS k(item, ${names.join(', ')})`
  return `SELECT item::text AS item FROM (
    SELECT *, count(*) OVER (PARTITION BY ${names.join(', ')}) AS count
    FROM (SELECT item, ${typed.join(', ')} FROM ${given}) AS typed) AS given
    WHERE count = 1 AND NOT EXISTS (
      SELECT 1 FROM ${quoteTable(merge.table)} AS stored WHERE ${same.join(' AND ')})`
}

function typedKey({ sqlType, collation }: MergeColumn, text: string): string {
  return `(${text}::${sqlType})${collation === undefined ? '' : ` COLLATE ${collation}`}`
}
