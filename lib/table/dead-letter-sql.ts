import { quoteList, quoteTable, type TableParts } from './identifier.ts'

/**
 * The table of rejected rows. `row` is json, because jsonb refuses \u0000. `file` names the file that a row
 * still has to be moved to, and is NULL for a row that stays in the table.
 */
export function createDeadLetterTable(table: TableParts): string {
  return `CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, rejected_at timestamptz NOT NULL DEFAULT now(),
    target text NOT NULL, batch_id bigint NOT NULL, row_index bigint NOT NULL, code text NOT NULL,
    sqlstate text, message text NOT NULL, column_name text, constraint_name text,
    source_partition text, source_offset bigint,
    "row" json, letter_id uuid, file text);
    ${indexByFile(table)}`
}

/** The columns that a table needs for a file, and that tables of earlier versions lack. */
export const FILE_COLUMNS = Object.freeze(['letter_id', 'file'])

/** Adds {@link FILE_COLUMNS}. */
export function addFileColumns(table: TableParts): string {
  return `ALTER TABLE ${quoteTable(table)} ADD COLUMN IF NOT EXISTS letter_id uuid,
    ADD COLUMN IF NOT EXISTS file text; ${indexByFile(table)}`
}

/** Few rows wait for a file, in a table that may hold many others. */
function indexByFile(table: TableParts): string {
  return `CREATE INDEX ON ${quoteTable(table)} (file, id) WHERE file IS NOT NULL`
}

/**
 * The columns that {@link insertDeadLetters} fills, and the types of its parameters: the target, then an
 * array each.
 */
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
 * @param proof a condition that makes the statement fail if it is false
 */
export function insertDeadLetters(table: TableParts, proof: string): string {
  return insertLetters(table, proof, { target: 'text' }, DEAD_LETTER_COLUMNS)
}

/**
 * Stores rejected rows that are moved to a file later. Parameters: the target's name, the file, an array of
 * ids, and for each of {@link DEAD_LETTER_COLUMNS} an array.
 */
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

/** Waits until no other session moves rows to the same file. Parameter: a number that identifies the file. */
export const LOCK_FILE = 'SELECT pg_catalog.pg_advisory_xact_lock($1::bigint)::text'

/**
 * Deletes the oldest rows that wait for a file, and returns them as texts. Parameters: the file, and how many
 * rows.
 */
export function takeLetters(table: TableParts): string {
  const columns = ['id', 'letter_id', ...Object.keys(DEAD_LETTER_COLUMNS)]
  const texts = columns.map(name => `"${name}"::text`)
  return `DELETE FROM ${quoteTable(table)} WHERE id IN
    (SELECT id FROM ${quoteTable(table)} WHERE file = $1::text ORDER BY id LIMIT $2::int)
    RETURNING ${texts.join(', ')}`
}

/** Deletes rows that wait for a file and are in it. Parameters: the file, and an array of ids. */
export function removeLetters(table: TableParts): string {
  return `DELETE FROM ${quoteTable(table)} WHERE file = $1::text AND letter_id = ANY ($2::uuid[])`
}
