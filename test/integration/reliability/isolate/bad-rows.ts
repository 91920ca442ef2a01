import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import type { PgBatchError } from '../../../../lib/errors.ts'
import type { RejectedRow } from '../../../../lib/write/rejects/dead-letter.ts'
import type { TestDatabase } from '../../../support/servers/database.ts'

/** A row of the table that has one of everything that can refuse a row. */
export type Row = Record<string, unknown>

/** Every way that rows can travel, upserts included. */
export const WAYS = [
  { title: 'COPY', options: { method: 'copy' } },
  { title: 'binary COPY', options: { method: 'copy', copyFormat: 'binary' } },
  { title: 'text COPY', options: { method: 'copy', copyFormat: 'text' } },
  { title: 'INSERT', options: { method: 'insert' } },
  {
    title: 'COPY and merge',
    options: { method: 'copy', onConflict: { target: ['id'], action: 'update' } },
  },
  {
    title: 'upserting INSERT',
    options: { method: 'insert', onConflict: { target: ['id'], action: 'update' } },
  },
] as const

export type Way = (typeof WAYS)[number]

export interface BadKind {
  readonly title: string
  /** What is wrong with a row, given the good row before it. */
  readonly spoil: (row: Row, before: Row) => Row
  readonly expected: (way: Way) => Partial<PgBatchError>
}

const circular: Record<string, unknown> = {}
circular.self = circular

const refused =
  (sqlState: string, more: Partial<PgBatchError> = {}) =>
  () =>
    ({ code: 'REFUSED', sqlState, ...more }) as const

/** Every reason to refuse a row, each with what its error must report. */
export const KINDS: readonly BadKind[] = [
  {
    title: 'a value of the wrong type',
    spoil: row => ({ ...row, n: 'many' }),
    expected: ({ title }) =>
      title === 'binary COPY'
        ? { code: 'VALUE_NOT_ENCODABLE', column: 'n' }
        : { code: 'REFUSED', sqlState: '22P02', column: 'n' },
  },
  {
    title: 'NULL for NOT NULL',
    spoil: row => ({ ...row, must: null }),
    expected: refused('23502', { column: 'must' }),
  },
  {
    title: 'a CHECK',
    spoil: row => ({ ...row, level: -1 }),
    expected: refused('23514', { constraint: 'level_positive' }),
  },
  {
    title: 'a key that is in the table',
    spoil: row => ({ ...row, code: -7 }),
    expected: refused('23505', { constraint: 'code_once' }),
  },
  {
    title: 'a key that is in the batch',
    spoil: (row, before) => ({ ...row, code: before.code }),
    expected: refused('23505', { constraint: 'code_once' }),
  },
  {
    title: 'a foreign key',
    spoil: row => ({ ...row, parent: 99 }),
    expected: refused('23503', { constraint: 'parent_there' }),
  },
  {
    title: 'a deferred foreign key',
    spoil: row => ({ ...row, later: 99 }),
    expected: refused('23503', { constraint: 'later_there' }),
  },
  {
    title: 'a deferred key that is in the batch',
    spoil: (row, before) => ({ ...row, turn: before.turn }),
    expected: refused('23505', { constraint: 'turn_once' }),
  },
  {
    title: 'an exclusion',
    spoil: (row, before) => ({ ...row, slot: before.slot }),
    expected: refused('23P01', { constraint: 'slot_free' }),
  },
  { title: 'a trigger that raises', spoil: row => ({ ...row, label: 'raise' }), expected: refused('P0001') },
  {
    title: "a domain's CHECK",
    spoil: row => ({ ...row, email: 'nobody' }),
    expected: refused('23514', { constraint: 'email_check' }),
  },
  {
    title: 'a value that cannot be encoded',
    spoil: row => ({ ...row, data: circular }),
    expected: () => ({ code: 'VALUE_NOT_ENCODABLE', column: 'data' }),
  },
  {
    title: 'an item that is not an object',
    spoil: row => row.id as unknown as Row,
    expected: () => ({ code: 'ROW_INVALID' }),
  },
  {
    title: 'a key that is not a column',
    spoil: row => ({ ...row, nonsense: 1 }),
    expected: () => ({ code: 'ROW_INVALID', column: 'nonsense' }),
  },
]

/** A good row: in some order of its own, so that nothing depends on growing keys. */
export function goodRow(id: number): Row {
  return {
    id,
    n: id,
    must: 1,
    level: 1,
    code: id,
    parent: 1,
    later: 1,
    turn: id,
    slot: id,
    label: `row ${id}`,
    email: 'a@b.c',
    data: { id },
  }
}

/** `count` rows, of which those at `bad` are spoiled; the first row is always good. */
export function rowsWith(count: number, bad: ReadonlyMap<number, BadKind>): Row[] {
  let before: Row = {}
  return Array.from({ length: count }, (_, id) => {
    const row = goodRow(id)
    const kind = bad.get(id)
    if (kind) return kind.spoil(row, before)
    before = row
    return row
  })
}

/** Places of `bad` among `count` rows, evenly spread and never the first. */
export function spread(count: number, bad: number): number[] {
  return Array.from({ length: bad }, (_, index) =>
    Math.min(count - 1, Math.floor(((index + 1) * count) / bad) - 1),
  )
}

/** The table, in a schema of its own, with what its rows refer to; returns its name. */
export async function makeTable(db: TestDatabase): Promise<string> {
  const name = `bad_${randomBytes(6).toString('hex')}`
  const table = `${name}.rows`
  await db.pool.query(`
    CREATE TABLE IF NOT EXISTS parents (id int PRIMARY KEY);
    INSERT INTO parents VALUES (1) ON CONFLICT DO NOTHING;
    DO $$ BEGIN CREATE DOMAIN email AS text CONSTRAINT email_check CHECK (VALUE LIKE '%@%');
      EXCEPTION WHEN duplicate_object THEN END $$;
    CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF NEW.label = 'raise' THEN RAISE 'not this one'; END IF; RETURN NEW; END $$;
    CREATE SCHEMA ${name}; CREATE TABLE ${table} (
      id int PRIMARY KEY, n int, must int NOT NULL, level int CONSTRAINT level_positive CHECK (level > 0),
      code int, parent int, later int, turn int, slot int, label text, email email, data jsonb,
      place bigint GENERATED ALWAYS AS IDENTITY);
    INSERT INTO ${table} (id, must, code) VALUES (-7, 1, -7);
    ALTER TABLE ${table} ADD CONSTRAINT code_once UNIQUE (code),
      ADD CONSTRAINT parent_there FOREIGN KEY (parent) REFERENCES parents,
      ADD CONSTRAINT later_there FOREIGN KEY (later) REFERENCES parents DEFERRABLE INITIALLY DEFERRED,
      ADD CONSTRAINT turn_once UNIQUE (turn) DEFERRABLE INITIALLY DEFERRED,
      ADD CONSTRAINT slot_free EXCLUDE USING btree (slot WITH =);
    CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse();`)
  return table
}

/** Ids of the rows that are in, in the order in which they went in. */
export async function storedIds(pool: pg.Pool, table: string): Promise<number[]> {
  const { rows } = await pool.query(`SELECT id FROM ${table} WHERE id >= 0 ORDER BY place`)
  return rows.map(row => row.id)
}

/** What of a rejected row's error there is to expect. */
export function reasonOf({ error }: RejectedRow): Partial<PgBatchError> {
  const { code, sqlState, column, constraint } = error
  return JSON.parse(JSON.stringify({ code, sqlState, column, constraint }))
}
