import type pg from 'pg'
import { type Column, TABLE } from './table.ts'

/** A statement takes 65,535 parameters at the most. */
export const MOST_PARAMETERS = 65_535

/** What writes several rows at once; prepared once on its connection, which is the best that `pg` offers. */
export type Statement<Row> = (rows: readonly Row[]) => pg.QueryConfig

/** @param suffix an ON CONFLICT clause, say */
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

/** An array for each column. */
export function insertUnnest<R extends object>(columns: readonly Column[], suffix = ''): Statement<R> {
  const names = columns.map(({ name }) => name)
  const arrays = columns.map(({ type }, column) => `$${column + 1}::${type}[]`).join(', ')
  const text = `INSERT INTO ${TABLE} (${names.join(', ')}) SELECT * FROM unnest(${arrays})${suffix}`
  return rows => ({ name: 'unnest', text, values: names.map(name => rows.map(row => row[name as keyof R])) })
}
