import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { useDatabase } from '../../support/servers/database.ts'
import { roleWith, usePools } from '../../support/servers/pools.ts'
import { countOf, failureOf, METHODS, options, rowsOf, slug, valuesOf, write } from '../../support/writing.ts'

describe('relations of every kind', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const way of METHODS) {
    const suffix = slug(way.title)

    it(`spreads rows over partitions, names the row that none takes, by ${way.title}`, async () => {
      const table = `parts_${suffix}`
      await db.pool.query(`CREATE TABLE ${table} (id int PRIMARY KEY,
        label text DEFAULT 'd') PARTITION BY RANGE (id);
        CREATE TABLE ${table}_1 PARTITION OF ${table} FOR VALUES FROM (0) TO (500);
        CREATE TABLE ${table}_2 PARTITION OF ${table} FOR VALUES FROM (500) TO (1000)`)
      const { pool } = makePool()
      await write([rowsOf(1000, id => ({ id }))], { pool, table, ...options(way) })
      expect(await countOf(db.pool, `${table}_1`)).to.equal(500)
      expect(await countOf(db.pool, `${table}_2 WHERE label = 'd'`)).to.equal(500)

      await write([rowsOf(1000, id => ({ id, label: 'new' }))], {
        pool,
        table,
        onConflict: { target: ['id'], action: 'update' },
        ...options(way),
      })
      expect(await countOf(db.pool, `${table} WHERE label = 'new'`)).to.equal(1000)

      const error = await failureOf(write([[{ id: 5000 }]], { pool, table, ...options(way) }))
      expect(error).to.include({ code: 'REFUSED', sqlState: '23514', outcome: 'rolled-back', rowIndex: 0 })
    })

    it(`writes through foreign keys, and refuses the batch that breaks one, by ${way.title}`, async () => {
      await db.pool.query(`CREATE TABLE parent_${suffix} (id int PRIMARY KEY);
        CREATE TABLE child_${suffix} (id int, parent int CONSTRAINT child_${suffix}_fk REFERENCES parent_${suffix})`)
      const { pool } = makePool()
      await write([rowsOf(100, id => ({ id }))], { pool, table: `parent_${suffix}`, ...options(way) })
      const good = rowsOf(100, id => ({ id, parent: id }))
      const bad = rowsOf(100, id => ({ id, parent: id === 50 ? 4711 : id }))
      const error = await failureOf(
        write([good, bad, good], { pool, table: `child_${suffix}`, ...options(way) }),
      )
      expect(error).to.include({
        code: 'REFUSED',
        sqlState: '23503',
        outcome: 'rolled-back',
        constraint: `child_${suffix}_fk`,
        batchId: 2,
      })
      expect(error.message).not.to.contain('4711')
      expect(await countOf(db.pool, `child_${suffix}`)).to.equal(100)
    })

    it(`runs the triggers of the table, by ${way.title}`, async () => {
      await db.pool.query(`CREATE TABLE seen_${suffix} (id int); CREATE TABLE watched_${suffix} (id int);
        CREATE FUNCTION note_${suffix}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.id % 10 = 0 THEN RETURN NULL; END IF;
          INSERT INTO seen_${suffix} VALUES (NEW.id); RETURN NEW; END $$;
        CREATE TRIGGER note BEFORE INSERT ON watched_${suffix} FOR EACH ROW EXECUTE FUNCTION note_${suffix}()`)
      const rows = rowsOf(100, id => ({ id }))
      await write([rows], { pool: makePool().pool, table: `watched_${suffix}`, ...options(way) })
      expect(await countOf(db.pool, `watched_${suffix}`)).to.equal(90)
      expect(await countOf(db.pool, `seen_${suffix}`)).to.equal(90)
    })

    for (const bad of [0, 1]) {
      it(`keeps the order of rows for a trigger that updates, ${bad} of them bad, by ${way.title}`, async () => {
        const table = `latest_${suffix}_${bad}`
        await db.pool.query(`CREATE TABLE ${table} (id int, n int, label text DEFAULT 'none');
          CREATE FUNCTION ${table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE ${table} SET n = NEW.n, label = NEW.label WHERE id = NEW.id;
            IF FOUND THEN RETURN NULL; END IF; RETURN NEW; END $$;
          CREATE TRIGGER latest BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}()`)
        // the rows of each shape are many enough for a COPY of their own
        const rows: object[] = rowsOf(150, n => ({ id: n % 5, n, ...(n % 2 ? { label: 'odd' } : {}) }))
        if (bad) rows.splice(75, 0, { id: 'bad', n: 0 })
        const { stats } = await write([rows], {
          pool: makePool().pool,
          table,
          rejectLimit: bad,
          ...options(way),
        })
        expect(stats.rowsRejected).to.equal(bad)
        const last = rowsOf(5, id => [id, 145 + id, id % 2 ? 'none' : 'odd'])
        expect(await valuesOf(db.pool, `SELECT * FROM ${table} ORDER BY id`)).to.deep.equal(last)
      })
    }
  }

  describe('a view', () => {
    before(async () => {
      await db.pool.query(`CREATE TABLE base (id serial PRIMARY KEY, label text DEFAULT 'd',
        hidden int DEFAULT 7);
        CREATE VIEW shown AS SELECT id, label FROM base`)
    })
    beforeEach(async () => {
      await db.pool.query('TRUNCATE base RESTART IDENTITY')
    })

    for (const method of ['auto', 'insert'] as const) {
      it(`is written by INSERT, missing keys get its table's DEFAULTs, by method ${method}`, async () => {
        const rows = rowsOf(120, index => (index % 2 ? { id: 1000 + index, label: 'x' } : { label: 'y' }))
        const { commits } = await write<object>([[{ label: 'z' }, {}], rows], {
          pool: makePool().pool,
          table: 'shown',
          method,
        })
        expect(commits.map(commit => commit.method))
          .to.include('insert')
          .and.not.include('copy')
        expect(
          await valuesOf(
            db.pool,
            `SELECT count(*)::int, count(*) FILTER (WHERE hidden = 7)::int,
            count(*) FILTER (WHERE id <= 62)::int,
               count(*) FILTER (WHERE label = 'd')::int FROM base`,
          ),
        ).to.deep.equal([[122, 122, 62, 1]])
      })
    }

    it('is refused for method copy, and the message says what to use', async () => {
      const error = await failureOf(
        write([[{ id: 1 }]], { pool: makePool().pool, table: 'shown', method: 'copy' }),
      )
      expect(error).to.include({ code: 'REFUSED', outcome: 'not-sent' })
      expect(error.message).to.contain('cannot be written by COPY (view)')
    })

    for (const method of ['auto', 'insert', 'copy'] as const) {
      it(`keeps stored values for missing keys, new rows get DEFAULTs, by method ${method}`, async () => {
        const rows = rowsOf(240, index =>
          index % 3 ? { id: 1 + (index % 120), label: 'x' } : { id: 1 + (index % 120) },
        )
        await db.pool.query("INSERT INTO base VALUES (1, 'old', 1)")
        await write<Record<string, unknown>>([rows], {
          pool: makePool().pool,
          table: 'shown',
          method,
          onConflict: { target: ['id'], action: 'update' },
        })
        const right = "base WHERE label = CASE WHEN id = 1 THEN 'old' WHEN id % 3 = 1 THEN 'd' ELSE 'x' END"
        expect([await countOf(db.pool, 'base'), await countOf(db.pool, right)]).to.deep.equal([120, 120])
      })

      it(`takes upserts, the last of equal keys winning, by method ${method}`, async () => {
        const rows = rowsOf(200, index => ({ id: index % 100, label: `v${index}` }))
        await write([rows], {
          pool: makePool().pool,
          table: 'shown',
          method,
          onConflict: { target: ['id'], action: 'update' },
        })
        const right = `base WHERE label = 'v' || (id + 100)`
        expect([await countOf(db.pool, 'base'), await countOf(db.pool, right)]).to.deep.equal([100, 100])
      })
    }
  })

  it('is upserted by INSERT where the role may not create temporary tables', async () => {
    const role = await roleWith(db, {})
    const { database, user } = Object.fromEntries(
      (await db.pool.query('SELECT current_database() AS database, session_user AS user')).rows.flatMap(
        Object.entries,
      ),
    ) as Record<string, string>
    await db.pool.query(`CREATE TABLE untemped (id int PRIMARY KEY, v text)`)
    const plain = new URL(role.config.connectionString!)
    await db.pool.query(`ALTER ROLE ${plain.username} NOSUPERUSER; GRANT ALL ON untemped TO ${plain.username};
      REVOKE TEMP ON DATABASE "${database}" FROM PUBLIC`)
    try {
      const { pool } = makePool(role.config)
      const onConflict = { target: ['id'], action: 'update' } as const
      const rows = rowsOf(300, id => ({ id, v: 'x' }))
      const { commits } = await write([rows], { pool, table: 'untemped', onConflict })
      expect(commits.map(({ method }) => method)).to.deep.equal(['insert'])
      expect(await countOf(db.pool, 'untemped')).to.equal(300)
      const error = await failureOf(write([rows], { pool, table: 'untemped', onConflict, method: 'copy' }))
      expect(error).to.include({ code: 'REFUSED', outcome: 'not-sent' })
    } finally {
      await db.pool.query(
        `GRANT TEMP ON DATABASE "${database}" TO PUBLIC; GRANT ${plain.username} TO "${user}"`,
      )
      await role.drop()
    }
  })

  it('writes a table with a rule by INSERT, so that the rule holds', async () => {
    await db.pool.query(`CREATE TABLE ruled (id int); CREATE TABLE ruled_log (id int);
      CREATE RULE log AS ON INSERT TO ruled DO ALSO INSERT INTO ruled_log VALUES (NEW.id)`)
    const rows = rowsOf(200, id => ({ id }))
    const { commits } = await write([rows], { pool: makePool().pool, table: 'ruled' })
    expect(commits.map(commit => commit.method)).to.deep.equal(['insert'])
    expect(await countOf(db.pool, 'ruled')).to.equal(200)
    expect(await countOf(db.pool, 'ruled_log')).to.equal(200)
  })

  it('writes under row-level security by INSERT, and refuses what a policy forbids', async () => {
    const role = `tenant_${randomBytes(4).toString('hex')}`
    await db.pool.query(`CREATE ROLE ${role}; GRANT CREATE, USAGE ON SCHEMA public TO ${role};
      CREATE TABLE secured (id int PRIMARY KEY, tenant text); GRANT ALL ON secured TO ${role};
      ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON secured USING (tenant = 'mine') WITH CHECK (tenant = 'mine')`)
    const member = await roleWith(db, { role })
    try {
      const { pool } = makePool(member.config)
      const rows = rowsOf(100, id => ({ id, tenant: 'mine' }))
      const { commits } = await write([rows], { pool, table: 'secured' })
      expect(commits.map(commit => commit.method)).to.deep.equal(['insert'])
      await write([rows], {
        pool,
        table: 'secured',
        method: 'copy',
        onConflict: { target: ['id'], action: 'update' },
      })
      expect(await countOf(db.pool, 'secured')).to.equal(100)
      const error = await failureOf(write([[{ id: 500, tenant: 'theirs' }]], { pool, table: 'secured' }))
      expect(error).to.include({ code: 'REFUSED', sqlState: '42501', outcome: 'rolled-back' })
      const copied = await failureOf(write([rows], { pool, table: 'secured', method: 'copy' }))
      expect(copied.message).to.contain('row-level security')
    } finally {
      await db.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
      await member.drop()
    }
  })
})
