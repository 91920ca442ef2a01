import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('what pg-batch prints, word for word,', () => {
  const database = useDatabase()
  const file = useFolder()

  before(() =>
    database.pool.query(`
      CREATE TABLE guests (id int PRIMARY KEY, name text);
      CREATE TABLE needs (id int PRIMARY KEY, "Who" text NOT NULL, note text, made int NOT NULL DEFAULT 7);
      INSERT INTO needs VALUES (1, 'Ada');
      CREATE TABLE filled (id int, who text NOT NULL);
      CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.who := 1; RETURN NEW; END';
      CREATE TRIGGER fill BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION fill();
      CREATE SCHEMA shop; CREATE TABLE shop.sales (id int);
      CREATE MATERIALIZED VIEW totals AS SELECT 1 AS id; CREATE SEQUENCE numbers`),
  )

  async function printed(words: readonly string[], input = ''): Promise<string> {
    const { stderr, stdout } = await run(words, { DATABASE_URL: database.connectionString }, input)
    expect(stdout).to.equal('')
    return stderr
  }
  const where = () => {
    const { host, pathname } = new URL(database.connectionString)
    return `database "${pathname.slice(1)}" on ${host}`
  }

  describe('for a table', () => {
    const target = (table: string) => printed(['load', '-', '-t', table], 'id\n1\n')

    it('that needs a column which the file does not have', async () => {
      const file = 'id,note\n1,x\n'
      const load = (...words: string[]) => printed(['load', '-', '-t', 'needs', ...words], file)
      const which = '"Who", which is NOT NULL and has no DEFAULT in needs: it would refuse every row; '
      const byDefault = 'or give it a DEFAULT (ALTER TABLE "public"."needs" ALTER "Who" SET DEFAULT …)'
      const named = `${which}--map NAME=Who names its column in the file, ${byDefault}`
      for (const words of [[], ['--dry-run'], ['--rejects', '/dev/null'], ['--truncate']]) {
        expect(await load(...words)).to.equal(
          `pg-batch: standard input: no column of the file goes to ${named}\n`,
        )
      }
      expect(await load('--on-conflict', 'id')).to.equal(
        `pg-batch: standard input: no column of the file goes to ${named}, ` +
          'or write only rows that are there, with --update-only\n',
      )
      expect(await load('--columns', 'id')).to.equal(
        `pg-batch: --columns leaves out ${which}name it there, ${byDefault}\n`,
      )
      await printed(['load', '-', '-t', 'needs', '--on-conflict', 'id', '--update-only', '--quiet'], file)
      const { rows } = await database.pool.query('SELECT * FROM needs')
      expect(rows).to.deep.equal([{ id: 1, Who: 'Ada', note: 'x', made: 7 }])
    })

    it('that needs a text where a field is empty', async () => {
      const load = (...words: string[]) =>
        printed(['load', '-', '-t', 'needs', ...words], 'id,Who\n8,""\n9,\n')
      expect(await load()).to.equal(
        'pg-batch: standard input: row 2 (line 3): null value in column "Who" of relation "needs" violates ' +
          "not-null constraint (23502); an empty field is NULL, and the empty string with --null '\\N', in each " +
          'column; --rejects FILE keeps such rows and loads the others; nothing committed\n',
      )
      expect(await load('--null', '\\N', '--quiet')).to.equal('')
    })

    it('that needs a column which a trigger fills in', async () => {
      expect(await printed(['load', '-', '-t', 'filled', '--quiet'], 'id\n1\n')).to.equal('')
    })

    it('in a schema that is not there', async () => {
      expect(await target('shp.sales')).to.equal(
        `pg-batch: the schema "shp" does not exist in ${where()}; its schemas are: public, shop; did you mean "shop"?\n`,
      )
    })

    it('in another schema', async () => {
      expect(await target('sales')).to.equal(
        `pg-batch: the table "sales" does not exist in ${where()}; did you mean "shop.sales"?; load --create makes it\n`,
      )
    })

    it('that is nowhere', async () => {
      expect(await target('nowhere_at_all')).to.equal(
        `pg-batch: the table "nowhere_at_all" does not exist in ${where()}; load --create makes it\n`,
      )
    })

    it('with nearly the name of one in its schema', async () => {
      for (const [name, hint] of [
        ['shop.sale', 'did you mean "shop.sales"?; load --create makes it'],
        ['public.guest', 'did you mean "public.guests"?; load --create makes it'],
        ['shop.guests', 'load --create makes it'],
      ] as const) {
        expect(await target(name)).to.equal(
          `pg-batch: the table "${name}" does not exist in ${where()}; ${hint}\n`,
        )
      }
    })

    it('with the name of its database', async () => {
      expect(await target('shop.public.sales')).to.equal(
        'pg-batch: the table "shop.public.sales" has three parts; name it as "public.sales"; ' +
          'DATABASE_URL or --database names the database\n',
      )
    })

    it('that is a materialized view', async () => {
      expect(await target('totals')).to.equal(
        'pg-batch: totals is a materialized view, which takes no rows; load into a table that its query reads, ' +
          'then REFRESH MATERIALIZED VIEW totals\n',
      )
    })

    it('that is a sequence', async () => {
      expect(await target('numbers')).to.equal('pg-batch: numbers is a sequence, not a table\n')
    })

    it('to be made in a schema that is not there', async () => {
      expect(await printed(['load', '-', '-t', 'Shp.sales', '--create'], 'id\n1\n')).to.match(
        /^pg-batch: Shp\.sales cannot be created: schema "Shp" does not exist; make it first: CREATE SCHEMA "Shp"\n/m,
      )
    })
  })

  describe('for a role without a privilege', () => {
    const role = `clerk_${process.pid}`
    before(() =>
      database.pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'clerk'; CREATE SCHEMA shut; CREATE TABLE shut.t (id int);
        GRANT USAGE ON SCHEMA shop TO ${role}; REVOKE CREATE ON SCHEMA public FROM PUBLIC`),
    )
    after(() => database.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))

    async function asClerk(...words: string[]): Promise<string> {
      const url = new URL(database.directConnectionString)
      url.username = role
      url.password = 'clerk'
      const path = await file('clerk.csv', 'id\n1\n')
      return (await run(['load', path, ...words], { DATABASE_URL: url.href })).stderr
    }
    const cases: [title: string, words: string[], message: string, grant: string][] = [
      [
        'to insert',
        ['-t', 'shop.sales'],
        'sales: permission denied for table sales (42501)',
        `GRANT INSERT ON "shop"."sales" TO "${role}"; nothing committed`,
      ],
      [
        'to update',
        ['-t', 'guests', '--on-conflict', 'id'],
        'guests: permission denied for table guests (42501)',
        `GRANT SELECT, INSERT, UPDATE ON "public"."guests" TO "${role}"; nothing committed`,
      ],
      [
        'to replace',
        ['-t', 'guests', '--replace'],
        'guests: permission denied for table guests (42501)',
        `GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."guests" TO "${role}"; nothing committed`,
      ],
      [
        'to truncate',
        ['-t', 'shop.sales', '--truncate'],
        'shop.sales cannot be emptied: permission denied for table sales',
        `GRANT TRUNCATE ON "shop"."sales" TO "${role}"`,
      ],
      [
        'to look into a schema',
        ['-t', 'shut.t'],
        'permission denied for schema shut (42501)',
        `GRANT USAGE ON SCHEMA "shut" TO "${role}"`,
      ],
      [
        'to create',
        ['-t', 'shop.new', '--create'],
        'shop.new cannot be created: permission denied for schema shop',
        `GRANT CREATE ON SCHEMA "shop" TO "${role}"`,
      ],
      [
        'to make the table that --resume needs',
        ['-t', 'shop.sales', '--resume', 'x'],
        '--resume stores its progress in the tables pg_batch_resume and pg_batch_checkpoint: ' +
          'permission denied for schema public (42501)',
        `GRANT CREATE ON SCHEMA "public" TO "${role}"`,
      ],
    ]
    for (const [title, words, message, grant] of cases) {
      it(title, async () => {
        const lines = (await asClerk(...words)).split('\n').filter(line => line.startsWith('pg-batch: '))
        expect(lines).to.deep.equal([`pg-batch: ${message}; its owner can allow it: ${grant}`])
      })
    }

    it('gives GRANTs that help to replace', async () => {
      await database.pool.query(`CREATE TABLE shop.prices (id int PRIMARY KEY)`)
      const name = (await database.pool.query('SELECT quote_ident(current_database()) AS name')).rows[0].name
      await database.pool.query(`REVOKE TEMPORARY ON DATABASE ${name} FROM PUBLIC`)
      for (let grants = 0; grants < 2; grants++) {
        const [, grant] = /(GRANT .*? TO "\w+")/.exec(await asClerk('-t', 'shop.prices', '--replace')) ?? []
        await database.pool.query(grant!)
      }
      expect(await asClerk('-t', 'shop.prices', '--replace')).to.equal('')
      expect((await database.pool.query('SELECT id FROM shop.prices')).rows).to.deep.equal([{ id: 1 }])
    })

    it('gives a GRANT that helps', async () => {
      await database.pool.query('CREATE TABLE shop.orders (id int, n serial)')
      for (let grants = 0; grants < 2; grants++) {
        const [, grant] = /(GRANT .*? TO "\w+")/.exec(await asClerk('-t', 'shop.orders')) ?? []
        await database.pool.query(grant!)
      }
      expect(await asClerk('-t', 'shop.orders')).to.equal('')
      expect((await database.pool.query('SELECT id FROM shop.orders')).rows).to.deep.equal([{ id: 1 }])
    })
  })
})
