import { isUpsert, type LoadShape } from '../cases/cases.ts'
import { type Database, LOADER } from '../servers/server.ts'

/** The tables of one case. */
export interface Tables {
  readonly target: string
  readonly deadLetters: string
  readonly checkpoint: string
  /** Two counters that `inTransaction` adds to. */
  readonly side: string
  /** While it holds a row, triggers of the target raise the SQLSTATE that stands there. */
  readonly disruption: string
  /** The triggers' function. */
  readonly raise: string
}

/**
 * Makes the tables of a case; the target has a key for upserts only. `times` counts how often a row was
 * written, where writes add to it.
 */
export async function makeTables(
  database: Database,
  number: number,
  { method, evolves }: LoadShape,
): Promise<Tables> {
  const named = (name: string): string => `${name}_${number}`
  const tables: Tables = {
    target: named('target'),
    deadLetters: named('dead_letters'),
    checkpoint: named('checkpoint'),
    side: named('side'),
    disruption: named('disruption'),
    raise: named('raise'),
  }
  const { target, side, disruption, raise } = tables
  const key = isUpsert(method) ? ', PRIMARY KEY (n)' : ''
  await database.query(`
    ${dropping(tables)}
    CREATE TABLE ${target} (n bigint NOT NULL, part int NOT NULL, amount int NOT NULL CHECK (amount >= 0),
      note text NOT NULL, times int NOT NULL DEFAULT 1${key});
    CREATE TABLE ${side} (id int PRIMARY KEY, rows bigint NOT NULL);
    INSERT INTO ${side} VALUES (1, 0), (2, 0);
    CREATE TABLE ${disruption} (sqlstate text NOT NULL, at text NOT NULL);
    CREATE FUNCTION ${raise}() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE wanted text;
      BEGIN
        SELECT sqlstate INTO wanted FROM ${disruption} WHERE at = TG_ARGV[0];
        IF FOUND THEN RAISE EXCEPTION 'disruption' USING ERRCODE = wanted; END IF;
        RETURN NEW;
      END $$;
    CREATE TRIGGER early BEFORE INSERT ON ${target} FOR EACH STATEMENT EXECUTE FUNCTION ${raise}('statement');
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON ${target} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
      WHEN (NEW.n % 50 = 7) EXECUTE FUNCTION ${raise}('commit');
    GRANT ALL ON ${target}, ${side}, ${disruption} TO ${LOADER};
    ${evolves ? `ALTER TABLE ${target} OWNER TO ${LOADER};` : ''}
  `)
  return tables
}

export async function dropTables(database: Database, tables: Tables): Promise<void> {
  await database.query(dropping(tables))
}

/** Statements that also do for a second attempt, when a server that ends has not answered the first. */
function dropping({ target, deadLetters, checkpoint, side, disruption, raise }: Tables): string {
  return `DROP TABLE IF EXISTS ${[target, deadLetters, checkpoint, side, disruption].join(', ')};
    DROP FUNCTION IF EXISTS ${raise}();`
}
