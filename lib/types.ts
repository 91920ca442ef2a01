/**
 * Words that several folders share. This file imports nothing of ours.
 */

/** A table's name: `'orders'`, `'sales.orders'` (split once, never inside quotes), or its parts. */
export type TableName = string | { schema?: string; name: string }

/** How rows reach the table. `auto` chooses for each batch. */
export type Method = 'auto' | 'copy' | 'insert'

/** How COPY carries rows. `auto` is binary wherever every value has an exact binary form, else text. */
export type CopyFormat = 'auto' | 'binary' | 'text'

/** What became of the rows when something failed. */
export type Outcome = 'not-sent' | 'rolled-back' | 'committed' | 'unknown'

/**
 * A data type as the server's catalogue describes it.
 * @see https://www.postgresql.org/docs/current/catalog-pg-type.html
 */
export interface PgType {
  readonly oid: number
  /** `format_type(oid, -1)`: quoted where needed and safe in SQL text, without a type modifier. */
  readonly sqlName: string
  /** `pg_type.typname`, of use to know built-in types and extension types such as citext. */
  readonly name: string
  /** True when the type lives in pg_catalog, so that `name` can be trusted. */
  readonly builtIn: boolean
  readonly kind: 'base' | 'array' | 'domain' | 'enum' | 'composite' | 'range' | 'multirange' | 'pseudo'
  /** What a domain is made of (which may be a domain again). */
  readonly base?: PgType
  /** What a true array's elements are. */
  readonly element?: PgType
}

/** A column as the catalogue describes it. */
export interface Column {
  readonly name: string
  readonly type: PgType
  /** The type as SQL says it, with its modifier: `numeric(10,2)`. */
  readonly sqlType: string
  /** Its collation, quoted, where that is not its type's own. */
  readonly collation?: string
  /** What a missing value gets, as an SQL expression: the column's DEFAULT, its identity's, or its domain's. */
  readonly defaultSql?: string
  /** NOT NULL, on the column or on its domain. */
  readonly notNull: boolean
  /** A missing value gets something else than NULL: a DEFAULT, an identity, or a domain's default. */
  readonly hasDefault: boolean
  /** Whether the catalogue has it as NOT NULL and with a default, as two digits: to notice when that has changed. */
  readonly flags?: string
  /** GENERATED ALWAYS AS (expression). */
  readonly generated: boolean
  readonly identity: 'none' | 'always' | 'by-default'
  /** The role may not write it. */
  readonly deniesInsert?: boolean
  /** The role may not read it. */
  readonly deniesSelect?: boolean
}

/** A unique index that ON CONFLICT can name. */
export interface UniqueKey {
  readonly index: string
  /** The constraint's name, where the index belongs to one. */
  readonly constraint?: string
  readonly primary: boolean
  readonly columns: readonly string[]
  /** For each column what the index calls equal, as `OPERATOR(schema.=)`. */
  readonly equals: readonly string[]
  readonly nullsNotDistinct: boolean
  /** Its operators and collations are those of its columns: it calls equal what GROUP BY does. */
  readonly byDefault: boolean
  /** No collation of it calls different texts equal. */
  readonly deterministic: boolean
}

/** A foreign key by which rows of a table refer to rows of the same table. */
export interface SelfReference {
  readonly columns: readonly string[]
  /** The columns that these refer to, in the same order. */
  readonly references: readonly string[]
}

/** What one catalogue query learns of a table. */
export interface Table {
  readonly schema: string
  readonly name: string
  readonly kind: 'table' | 'partitioned' | 'foreign' | 'view'
  readonly columns: readonly Column[]
  readonly uniqueKeys: readonly UniqueKey[]
  readonly selfReferences: readonly SelfReference[]
  /** Why COPY FROM would be refused or behave otherwise than INSERT here; undefined: COPY is fine. */
  readonly copyObstacle?: 'view' | 'row-level security' | 'rules'
  /** Unique and exclusion indexes of every kind, those that `uniqueKeys` leaves out among them. */
  readonly conflictingIndexes: number
  /** BEFORE triggers for each row, of the table or of a partition: they may change a row's key, or drop the row. */
  readonly changesRows: boolean
  /** The role may make temporary tables. */
  readonly mayStage: boolean
  /** Citus keeps its rows: it is distributed, a reference table, or a local table that Citus manages. */
  readonly isCitus?: true
}

/** Counts of a stream. `rowsReceived` is always the sum of the other five `rows…`. */
export interface Stats {
  rowsReceived: number
  /** Rows that the server says it inserted, updated or deleted, by its command tags. */
  rowsCommitted: number
  /**
   * Rows that were sent in a committed transaction and changed nothing: a conflict with DO NOTHING, a trigger that
   * returned NULL, a rule, a delete without a match.
   */
  rowsUnchanged: number
  /** Refused for good, and given to the dead letter. */
  rowsRejected: number
  /** Items that `toRow` made no row of, and items that a checkpoint says are written already. */
  rowsSkipped: number
  rowsPending: number
  batchesReceived: number
  /** With `laneOf` the parts of a batch count one by one. */
  batchesCommitted: number
  transactions: number
  /** Bytes of row data, without what had to be sent again. */
  bytesSent: number
}
