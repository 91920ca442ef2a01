import { createRequire } from 'node:module'
import type pg from 'pg'
import { quoteLiteral } from '../../../lib/table/identifier.ts'
import type { Access } from './storage.ts'

const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils.js') as {
  prepareValue: (value: unknown) => string | Buffer | null
}

/**
 * Sends statements to PGlite under exception blocks: each error that reaches its client takes 62 kB of its
 * stack, forever. So a parameter is sent as a literal or, if it is binary, by COPY, and rows are copied from
 * a file.
 */
export async function pgliteAccess(client: pg.ClientBase): Promise<Access> {
  await client.query(`CREATE OR REPLACE FUNCTION pg_temp.attempt(sql text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE sql; RETURN NULL; EXCEPTION WHEN OTHERS THEN RETURN SQLERRM; END $$`)

  async function attempt(sql: string): Promise<void> {
    const { rows } = await client.query('SELECT pg_temp.attempt($1) AS error', [sql])
    if (rows[0].error !== null) throw new Error(rows[0].error)
  }

  async function copy(format: 'binary' | 'text', bytes: Buffer): Promise<void> {
    const { rows } = await client.query('SELECT lo_from_bytea(0, $1) AS file', [bytes])
    await client.query("SELECT lo_export($1, '/tmp/rows')", [rows[0].file])
    await client.query('SELECT lo_unlink($1)', [rows[0].file])
    await attempt(`COPY kept (id, c) FROM '/tmp/rows' (FORMAT ${format})`)
  }

  return {
    copy,
    async insert(id, parameter) {
      const value = prepareValue(parameter)
      if (Buffer.isBuffer(value)) return copy('binary', rowOf(id, value))
      if (value?.includes('\0')) throw new Error('the server refuses NUL')
      await attempt(
        `INSERT INTO kept (id, c) VALUES (${id}, ${value === null ? 'NULL' : quoteLiteral(value)})`,
      )
    },
  }
}

/** A binary COPY of one row. */
function rowOf(id: number, value: Buffer): Buffer {
  const head = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x04', 'latin1')
  const fields = Buffer.alloc(8)
  fields.writeInt32BE(id)
  fields.writeInt32BE(value.length, 4)
  return Buffer.concat([head, fields, value, Buffer.from([0xff, 0xff])])
}
