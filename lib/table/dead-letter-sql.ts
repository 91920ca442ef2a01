import { quoteList, quoteTable, type TableParts } from './identifier.ts'

/**
 * The table of rejected rows. `row` is json and not jsonb, which takes no \u0000. `file` names the file that a row is
 * on its way to, and is NULL for a row that stays.
 */
export function createDeadLetterTable(table: TableParts): string {
  return `CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, rejected_at timestamptz NOT NULL DEFAULT now(),
    target text NOT NULL, batch_id bigint NOT NULL, row_index bigint NOT NULL, code text NOT NULL, sqlstate text,
    message text NOT NULL, column_name text, constraint_name text, source_partition text, source_offset bigint,
    "row" json, letter_id uuid, file text);
    ${indexByFile(table)}`
}

/** The columns that a table for a file needs, and tables of earlier versions lack. */
export const FILE_COLUMNS = Object.freeze(['letter_id', 'file'])

/** Adds {@link FILE_COLUMNS}. */
export function addFileColumns(table: TableParts): string {
  return `ALTER TABLE ${quoteTable(table)} ADD COLUMN IF NOT EXISTS letter_id uuid,
    ADD COLUMN IF NOT EXISTS file text; ${indexByFile(table)}`
}

/** Rows that wait for their file are few, in a table that may hold many others. */
function indexByFile(table: TableParts): string {
  return `CREATE INDEX ON ${quoteTable(table)} (file, id) WHERE file IS NOT NULL`
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
  return insertLetters(table, proof, { target: 'text' }, DEAD_LETTER_COLUMNS)
}

/** The same of rows that go on to a file. Parameters: target, file, the array of ids, and the arrays as above. */
export function insertLettersForFile(table: TableParts, proof: string): string {
  return insertLetters(
    table,
    proof,
    { target: 'text', file: 'text' },
    { letter_id: 'uuid', ...DEAD_LETTER_COLUMNS },
  )
}

function insertLetters(
  table: TableParts,
  proof: string,
  same: Readonly<Record<string, string>>,
  each: Readonly<Record<string, string>>,
): string {
  const sameNames = Object.keys(same)
  const values = Object.values(same).map((type, index) => `$${index + 1}::${type}`)
  const arrays = Object.values(each).map((type, index) => `$${sameNames.length + index + 1}::${type}[]`)
  return `INSERT INTO ${quoteTable(table)} (${quoteList([...sameNames, ...Object.keys(each)])})
    SELECT ${values.join(', ')}, e.* FROM unnest(${arrays.join(', ')}) AS e WHERE ${proof}`
}

/** Waits until no other session moves rows to the same file. Parameter: a number that stands for the file. */
export const LOCK_FILE = 'SELECT pg_catalog.pg_advisory_xact_lock($1::bigint)::text'

/** Takes the oldest rows that wait for a file out of the table, as texts. Parameters: the file, and how many rows. */
export function takeLetters(table: TableParts): string {
  const columns = ['id', 'letter_id', ...Object.keys(DEAD_LETTER_COLUMNS)]
  const texts = columns.map(name => `"${name}"::text`)
  return `DELETE FROM ${quoteTable(table)} WHERE id IN
    (SELECT id FROM ${quoteTable(table)} WHERE file = $1::text ORDER BY id LIMIT $2::int) RETURNING ${texts.join(', ')}`
}
