import type pg from 'pg'
import { type Column, TABLE } from './table.ts'

/** The protocol's limit of parameters in a statement. */
export const MOST_PARAMETERS = 65_535

/** A statement that writes several rows, prepared once on its connection: the fastest way of `pg`. */
export type Statement<Row> = (rows: readonly Row[]) => pg.QueryConfig

/** @param suffix for example an ON CONFLICT clause */
export function insertValues<R extends object>(columns: readonly Column[], suffix = ''): Statement<R> {
  const names = columns.map(({ name }) => name)
  const texts = new Map<number, string>()
  const textFor = (rows: number): string => {
    const tuple = (_: unknown, row: number) =>
      `(${names.map((_, column) => `$${row * names.length + column + 1}`).join(', ')})`
    const tuples = Array.from({ length: rows }, tuple).join(', ')
    return `INSERT INTO ${TABLE} (${names.join(', ')}) VALUES ${tuples}${suffix}`
  }
  return rows => {
    const text = texts.get(rows.length) ?? textFor(rows.length)
    texts.set(rows.length, text)
    const values = rows.flatMap(row => names.map(name => row[name as keyof R]))
    return { name: `values ${rows.length}`, text, values }
  }
}

/** `unnest`: one array parameter for each column. */
export function insertUnnest<R extends object>(columns: readonly Column[], suffix = ''): Statement<R> {
  const names = columns.map(({ name }) => name)
  const arrays = columns.map(({ type }, column) => `$${column + 1}::${type}[]`).join(', ')
  const text = `INSERT INTO ${TABLE} (${names.join(', ')}) SELECT * FROM unnest(${arrays})${suffix}`
  return rows => ({ name: 'unnest', text, values: names.map(name => rows.map(row => row[name as keyof R])) })
}
