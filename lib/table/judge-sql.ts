import { quoteIdentifier, quoteLiteral, quoteTable, type TableParts } from './identifier.ts'
import { KEY_COLUMNS, type KeyColumns } from './key-columns.ts'
import { isNotNull } from './null-test.ts'

/** A CHECK of a table. */
export interface Check {
  readonly name: string
  readonly definition: string
  /** Null for what is not a column. */
  readonly columns: readonly (string | null)[]
}

/** A foreign key of a table, which refers to another one. */
export interface OutgoingKey extends KeyColumns {
  readonly constraint: string
  /** The table that is referred to, with ONLY where that matters. */
  readonly parent: string
}

/** What the server would judge a table's new rows by. */
export interface JudgeFacts {
  readonly checks: readonly Check[]
  readonly outgoing: readonly OutgoingKey[]
  /** A trigger may change a row before it is judged. */
  readonly mayChange: boolean
}

/**
 * Returns the query that reads the {@link JudgeFacts}, as the text of one JSON object. Foreign keys to the
 * table itself are missing, and those that are checked at COMMIT, or whose parent this role cannot see.
 */
export function judgeFacts(table: TableParts): string {
  return `
WITH target AS (
  SELECT ${quoteLiteral(quoteTable(table))}::pg_catalog.regclass::pg_catalog.oid AS oid
), tree AS (
  SELECT oid FROM target UNION SELECT relid FROM target, pg_catalog.pg_partition_tree(target.oid)
)
SELECT pg_catalog.json_build_object(
  'mayChange', EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g JOIN tree ON g.tgrelid = tree.oid
    -- FOR EACH ROW, BEFORE, INSERT
    WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgtype::int & 7 = 7),
  'checks', coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', k.conname,
      'definition', pg_catalog.pg_get_constraintdef(k.oid),
      'columns', (SELECT pg_catalog.json_agg(a.attname) FROM pg_catalog.unnest(k.conkey) key(attnum)
        LEFT JOIN pg_catalog.pg_attribute a
          ON a.attrelid = k.conrelid AND a.attnum = key.attnum AND a.attnum > 0)))
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'c'), '[]'),
  'outgoing', coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'constraint', k.conname,
      'parent', CASE WHEN p.relkind = 'r' THEN 'ONLY ' ELSE '' END || p.oid::pg_catalog.regclass::text,
      ${KEY_COLUMNS}))
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
    WHERE k.conrelid = t.oid AND k.contype = 'f' AND NOT k.condeferred AND k.confmatchtype = 's'
      AND k.confrelid NOT IN (SELECT oid FROM tree)
      AND pg_catalog.pg_get_constraintdef(k.oid) NOT LIKE '% NOT ENFORCED'
      AND pg_catalog.has_table_privilege(p.oid, 'SELECT')
      AND NOT pg_catalog.row_security_active(p.oid)), '[]')
)::text AS facts FROM target t`
}

/** The name of the function that judges staged rows by foreign keys, in the schema of temporary tables. */
const JUDGE = 'pg_temp.pg_batch_refers'

/**
 * Lets a staging table refuse the rows that its target would refuse.
 * @param required the columns that are NOT NULL
 */
export function judgeStaged(
  staging: TableParts,
  target: TableParts,
  { checks, outgoing }: Pick<JudgeFacts, 'checks' | 'outgoing'>,
  required: readonly string[],
): string[] {
  const name = quoteTable(staging)
  const actions = [
    ...required.map(column => `ALTER ${quoteIdentifier(column)} SET NOT NULL`),
    ...checks.map(check => `ADD CONSTRAINT ${quoteIdentifier(check.name)} ${check.definition}`),
  ]
  return [
    ...(actions.length > 0 ? [`ALTER TABLE ${name} ${actions.join(', ')}`] : []),
    ...(outgoing.length > 0
      ? [
          createJudge(target, outgoing),
          `CREATE TRIGGER pg_batch_refers BEFORE INSERT ON ${name} ` +
            `FOR EACH ROW EXECUTE FUNCTION ${JUDGE}()`,
        ]
      : []),
  ]
}

/** A trigger, because a temporary table cannot have a foreign key to one that is not. */
function createJudge(target: TableParts, outgoing: readonly OutgoingKey[]): string {
  const body = `BEGIN ${outgoing.map(key => refusal(target, key)).join(' ')} RETURN NEW; END`
  return `CREATE FUNCTION ${JUDGE}() RETURNS trigger LANGUAGE plpgsql AS ${quoteLiteral(body)}`
}

function refusal(
  target: TableParts,
  { constraint, parent, columns, references, equals }: OutgoingKey,
): string {
  const values = columns.map(column => `NEW.${quoteIdentifier(column)}`)
  const given = values.map(isNotNull).join(' AND ')
  const same = values.map((value, at) => `parent.${quoteIdentifier(references[at]!)} ${equals[at]} ${value}`)
  const message = `insert or update on table "${target.name}" violates foreign key constraint "${constraint}"`
  return (
    `IF ${given} AND NOT EXISTS (SELECT 1 FROM ${parent} AS parent WHERE ${same.join(' AND ')}) THEN ` +
    `RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = ${quoteLiteral(message)}, ` +
    `CONSTRAINT = ${quoteLiteral(constraint)}, TABLE = ${quoteLiteral(target.name)}; END IF;`
  )
}

/** Drops the function, which would outlive the transaction, and the trigger that calls it. */
export function dropJudge(): string {
  return `DROP FUNCTION IF EXISTS ${JUDGE}() CASCADE`
}
