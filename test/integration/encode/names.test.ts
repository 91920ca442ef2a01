import { expect } from 'chai'
import pg from 'pg'
import { testServer, useDatabase } from '../../support/servers/database.ts'
import { METHODS, options, valuesOf, write } from '../../support/writing.ts'

/** In UTF-8 at most 63 bytes or more; in the server's encoding some are longer, and some are shorter. */
const NAMES = [
  'a'.repeat(63),
  'a'.repeat(70),
  'é'.repeat(31),
  'é'.repeat(20),
  'é'.repeat(40),
  '日'.repeat(21),
  '日'.repeat(31),
]

describe('values of type name in a database that is not UTF-8', () => {
  useDatabase()

  for (const encoding of ['EUC_JP', 'LATIN1']) {
    for (const way of METHODS.filter(({ title }) => title !== 'binary COPY')) {
      it(`are cut as the server cuts them: ${encoding}, by ${way.title}`, async () => {
        const { connectionString } = await testServer()
        const admin = new pg.Client({ connectionString })
        const url = new URL(connectionString)
        url.pathname = '/other_encoding'
        await admin.connect()
        await admin.query(
          `CREATE DATABASE other_encoding ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`,
        )
        const pool = new pg.Pool({ connectionString: url.href })
        try {
          await pool.query('CREATE TABLE ours (n int, v name); CREATE TABLE theirs (n int, v name)')
          const names = encoding === 'LATIN1' ? NAMES.filter(name => !name.includes('日')) : NAMES
          for (const [n, v] of names.entries()) {
            await pool.query('INSERT INTO theirs VALUES ($1, $2)', [n, v])
            // alone, so that no other name decides the format
            await write<object>([[{ n, v }]], { pool, table: 'ours', ...options(way) })
          }
          const stored = (table: string) => valuesOf(pool, `SELECT n, v FROM ${table} ORDER BY n`)
          expect(await stored('ours')).to.deep.equal(await stored('theirs'))
        } finally {
          await pool.end()
          await admin.query('DROP DATABASE other_encoding')
          await admin.end()
        }
      })
    }
  }
})
