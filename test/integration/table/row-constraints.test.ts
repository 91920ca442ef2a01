import { expect } from 'chai'
import { ROW_CONSTRAINTS_SQL, readRowConstraints } from '../../../lib/table/catalogue/row-constraints.ts'
import { useDatabase } from '../../support/servers/database.ts'

const TABLES: readonly [title: string, ddl: string, mayLackPartition: boolean][] = [
  ['is not partitioned', 'CREATE TABLE t (id int)', false],
  [
    'has a default partition',
    `CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE rest PARTITION OF t DEFAULT`,
    false,
  ],
  [
    'has none',
    `CREATE TABLE t (id int) PARTITION BY RANGE (id);
      CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (9)`,
    true,
  ],
  [
    'has all partitions of a hash, of several moduli',
    `CREATE TABLE t (id int) PARTITION BY HASH (id);
      CREATE TABLE h0 PARTITION OF t FOR VALUES WITH (modulus 3, remainder 0);
      CREATE TABLE h1 PARTITION OF t FOR VALUES WITH (modulus 3, remainder 1);
      CREATE TABLE h2 PARTITION OF t FOR VALUES WITH (modulus 6, remainder 2);
      CREATE TABLE h5 PARTITION OF t FOR VALUES WITH (modulus 6, remainder 5)`,
    false,
  ],
  [
    'lacks a partition of a hash',
    `CREATE TABLE t (id int) PARTITION BY HASH (id);
      CREATE TABLE h0 PARTITION OF t FOR VALUES WITH (modulus 2, remainder 0)`,
    true,
  ],
  [
    'has a default partition that lacks some',
    `CREATE TABLE t (id int) PARTITION BY RANGE (id);
      CREATE TABLE rest PARTITION OF t DEFAULT PARTITION BY LIST (id);
      CREATE TABLE one PARTITION OF rest FOR VALUES IN (1)`,
    true,
  ],
]

describe('a table for whose rows there may be no partition', () => {
  const db = useDatabase()
  for (const [title, ddl, mayLackPartition] of TABLES) {
    it(`${mayLackPartition ? 'is' : 'is not'} one that ${title}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS t; ${ddl}`)
      const { rows } = await db.pool.query(ROW_CONSTRAINTS_SQL, ['public.t'])
      expect(readRowConstraints(rows[0]).rowConstraints).to.include({ mayLackPartition })
    })
  }
})
