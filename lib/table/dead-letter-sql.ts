import { quoteList, quoteTable, type TableParts } from './identifier.ts'

/** The table of rejected rows. `row` is json and not jsonb, which takes no \u0000. */
export function createDeadLetterTable(table: TableParts): string {
  return `CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, rejected_at timestamptz NOT NULL DEFAULT now(),
    target text NOT NULL, batch_id bigint NOT NULL, row_index bigint NOT NULL, code text NOT NULL, sqlstate text,
    message text NOT NULL, column_name text, constraint_name text, source_partition text, source_offset bigint,
    "row" json)`
}

/** The columns that {@link insertDeadLetters} fills, and the types of its parameters: the target, then an array each. */
export const DEAD_LETTER_COLUMNS = Object.freeze({
  batch_id: 'bigint',
  row_index: 'bigint',
  code: 'text',
  sqlstate: 'text',
  message: 'text',
  column_name: 'text',
  constraint_name: 'text',
  source_partition: 'text',
  source_offset: 'bigint',
  row: 'json',
})

/**
 * Stores rejected rows. Parameters: the target's name, and for each of {@link DEAD_LETTER_COLUMNS} an array.
 * @param proof a condition that fails the statement where it does not hold
 */
export function insertDeadLetters(table: TableParts, proof: string): string {
  const names = Object.keys(DEAD_LETTER_COLUMNS)
  const arrays = Object.values(DEAD_LETTER_COLUMNS).map((type, index) => `$${index + 2}::${type}[]`)
  return `INSERT INTO ${quoteTable(table)} (target, ${quoteList(names)})
    SELECT $1, e.* FROM unnest(${arrays.join(', ')}) AS e WHERE ${proof}`
}
