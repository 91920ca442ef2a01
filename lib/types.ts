/** Types that several folders share. This file imports no other. */

/**
 * A table's name: `'orders'`, `'sales.orders'` (split once, at a dot outside double quotes), or its parts.
 */
export type TableName = string | { schema?: string; name: string }

/** The command by which rows are written. `auto` chooses for each batch. */
export type Method = 'auto' | 'copy' | 'insert'

/** The format of COPY. `auto` is binary while every value has an exact binary form, and text otherwise. */
export type CopyFormat = 'auto' | 'binary' | 'text'

/** The outcome of the rows when something failed. */
export type Outcome = 'not-sent' | 'rolled-back' | 'committed' | 'unknown'

/**
 * A data type as the server's catalogue describes it.
 * @see https://www.postgresql.org/docs/current/catalog-pg-type.html
 */
export interface PgType {
  readonly oid: number
  /** `format_type(oid, -1)`: quoted where needed and safe in SQL text, without a type modifier. */
  readonly sqlName: string
  /** `pg_type.typname`, which identifies a built-in type, and a type of a known `extension`. */
  readonly name: string
  /** True if the type is in pg_catalog, so that `name` can be trusted. */
  readonly builtIn: boolean
  readonly kind: 'base' | 'array' | 'domain' | 'enum' | 'composite' | 'range' | 'multirange' | 'pseudo'
  /** The type under a domain, which may be a domain again. */
  readonly base?: PgType
  /** The element type of an array. */
  readonly element?: PgType
  /** The type of a range's bounds; for a multirange, its range. */
  readonly subtype?: PgType
  /** The fields of a composite type, in their order. */
  readonly attributes?: readonly PgType[]
  /** The extension that owns the type: its `name` can then be trusted as if it were built in. */
  readonly extension?: string
  /** What separates the elements in the text of an array of the type, if it is not a comma. */
  readonly delimiter?: string
  /** The server cannot read the type's binary form. */
  readonly isTextOnly?: true
  /** For money: the session's lc_monetary, which its text depends on. */
  readonly monetaryLocale?: string
  /**
   * For timestamptz, and domains over it: the session's TimeZone is UTC, where a local time and the instant
   * have the same text.
   */
  readonly inUtc?: true
}

/**
 * How values of one type are sent. An error that a method throws, or a result that it must not return, is an
 * error of the row: VALUE_NOT_ENCODABLE, with the column.
 */
export interface Codec<Value = unknown> {
  /**
   * Returns the value in the input syntax of the type, as an SQL literal has it. Text COPY, INSERT and dead
   * letters use it. `value` is neither null nor undefined.
   */
  text(value: Value): string
  /**
   * Returns the value as the type's receive function reads it, for binary COPY; undefined for a value that is
   * only sent as text. The server has to store the same for the bytes as for the text. Without this method,
   * tables with a column of the type are sent by text COPY.
   */
  binary?(value: Value): Uint8Array | undefined
}

/** A column as the catalogue describes it. */
export interface Column {
  readonly name: string
  readonly type: PgType
  /** The type in SQL, with its modifier: `numeric(10,2)`. */
  readonly sqlType: string
  /** The collation, quoted, if it is not the type's own. */
  readonly collation?: string
  /**
   * The SQL expression that a missing value gets: the DEFAULT of the column, of its identity, or of its
   * domain.
   */
  readonly defaultSql?: string
  /** The DEFAULT calls a volatile function that a user has made, by its name or by an operator. */
  readonly hasVolatileDefault?: true
  /** NOT NULL, on the column or on its domain. */
  readonly notNull: boolean
  /** A missing value becomes something other than NULL: a DEFAULT, an identity, or a domain's default. */
  readonly hasDefault: boolean
  /** NOT NULL and DEFAULT in the catalogue, as two digits, to notice when they have changed. */
  readonly flags?: string
  /** GENERATED ALWAYS AS (expression). */
  readonly generated: boolean
  /** The expression of a generated column. */
  readonly generatedSql?: string
  /** `kept`: GENERATED ALWAYS, and yet the values of the rows are written. */
  readonly identity: 'none' | 'always' | 'by-default' | 'kept'
  /** The role may not write it. */
  readonly deniesInsert?: boolean
  /** The role may not read it. */
  readonly deniesSelect?: boolean
}

/** A unique index of columns. */
export interface UniqueKey {
  readonly index: string
  /** The constraint's name, if the index belongs to one. */
  readonly constraint?: string
  readonly primary: boolean
  /** False for a deferrable constraint, which ON CONFLICT refuses. */
  readonly immediate: boolean
  readonly columns: readonly string[]
  /** The index's equality operator for each column, as `OPERATOR(schema.=)`. */
  readonly equals: readonly string[]
  /** For each column the collation of the index, quoted; null where it is that of the column. */
  readonly collations?: readonly (string | null)[]
  readonly nullsNotDistinct: boolean
  /**
   * Its operators and collations are those of its columns, so that values are equal to it as they are to
   * GROUP BY.
   */
  readonly byDefault: boolean
  /** No collation of the index treats different texts as equal. */
  readonly deterministic: boolean
}

/** A unique index of any kind, in the words by which ON CONFLICT infers it. */
export interface UniqueIndex {
  readonly name: string
  /** The constraint's name, if the index belongs to one. */
  readonly constraint?: string
  /** False for a deferrable constraint, which ON CONFLICT refuses. */
  readonly immediate: boolean
  readonly parts: readonly IndexPart[]
  /** The condition of a partial index, over unqualified names of columns. */
  readonly predicate?: string
  /** The columns that its key and predicate are computed from, and those of generated ones among them. */
  readonly columns: readonly string[]
  readonly nullsNotDistinct: boolean
}

/** A column or an expression of an index's key. */
export interface IndexPart {
  /** With its collation, over unqualified names of columns. */
  readonly sql: string
  /** `sql` with its operator class. */
  readonly inference: string
  /** The operator that compares its values, as `OPERATOR(schema.=)`. */
  readonly equals: string
  /** Set where the part is a column. */
  readonly column?: string
}

/** A foreign key by which rows of a table refer to rows of the same table. */
export interface SelfReference {
  readonly columns: readonly string[]
  /** The columns that they refer to, in the same order. */
  readonly references: readonly string[]
}

/** What a row of a table is judged by, besides its types, NOT NULL and unique indexes. */
export interface RowConstraints {
  /** The relation is a table without partitions, and no other table inherits from it. */
  readonly isSingle: boolean
  /** Foreign keys refer to it. */
  readonly isReferenced: boolean
  /** The table is partitioned, and there may be no partition for a row. */
  readonly mayLackPartition: boolean
  /** The condition that there is a partition for a row; null where no query can repeat it. */
  readonly hasPartition: string | null
  readonly checks: readonly ColumnsSql[]
  readonly foreignKeys: readonly OutgoingReference[]
  /** The indexes with expressions or a condition, which may fail for a value. */
  readonly indexes: readonly ComputedIndex[]
  /** The generated columns that are computed when a row is written. */
  readonly stored: readonly string[]
}

/** An expression over unqualified names of columns. */
export interface ColumnsSql {
  readonly sql: string
  readonly columns: readonly string[]
}

/** A foreign key of a table. */
export interface OutgoingReference {
  /** The table that it refers to, with ONLY where that matters; null where no query can repeat the check. */
  readonly parent: string | null
  readonly columns: readonly string[]
  readonly references: readonly string[]
  /** For each column the operator that compares a referenced value with it. */
  readonly equals: readonly string[]
}

/** What an index computes of a row, over unqualified names of columns. */
export interface ComputedIndex {
  readonly predicate: string | null
  readonly expressions: readonly string[]
  readonly columns: readonly string[]
}

/** A table as the catalogue describes it. */
export interface Table {
  readonly schema: string
  readonly name: string
  readonly kind: 'table' | 'partitioned' | 'foreign' | 'view'
  readonly columns: readonly Column[]
  readonly uniqueKeys: readonly UniqueKey[]
  /** All unique indexes, where the conflict target is not a key of plain columns that can be written. */
  readonly uniqueIndexes?: readonly UniqueIndex[]
  readonly selfReferences: readonly SelfReference[]
  /** Why COPY FROM is rejected, or differs from INSERT, for this table; undefined if it works. */
  readonly copyObstacle?: 'view' | 'row-level security' | 'rules'
  /**
   * The number of unique and exclusion indexes of every kind, including those that `uniqueKeys` leaves out,
   * and those that only a partition has.
   */
  readonly conflictingIndexes: number
  /** One of them may be checked at the end of a statement, or of the transaction. */
  readonly hasLateIndexes: boolean
  /**
   * The table or a partition has BEFORE triggers for each row, which may change a row's key, or drop the row.
   */
  readonly changesRows: boolean
  /** The table or a partition has triggers for each inserted row. They may read and write any rows. */
  readonly hasInsertTriggers?: true
  /**
   * The constraints on the columns of a row. Only upserts ask for them. Undefined where something else may
   * judge each state of a row: a trigger, row-level security, or a constraint that only a partition has.
   */
  readonly rowConstraints?: RowConstraints
  /** Rules rewrite its updates or deletes. The server refuses most of these in WITH and with RETURNING. */
  readonly hasRules?: true
  /** The SQL of an upsert calls a function that may read tables. */
  readonly conflictReads?: true
  /** COPY takes a marker for a value that is DEFAULT. */
  readonly copiesDefaults?: true
  /** The role may make temporary tables. */
  readonly mayStage: boolean
  /** Transactions are at REPEATABLE READ or SERIALIZABLE: they see the catalogue as it was at their start. */
  readonly keepsSnapshot?: true
  /** A setting of the session by which other values would be stored than those of the rows. */
  readonly unfitSetting?: 'client_encoding' | 'array_nulls'
  /**
   * The server has MERGE … RETURNING (from PostgreSQL 17), and no partition is a foreign table, which has
   * not.
   */
  readonly mergeReturns?: true
  /** The OIDs of the types that the introspection was asked for, in their order; null for one that is not. */
  readonly namedTypes?: readonly (number | null)[]
  /** Citus stores its rows: it is distributed, a reference table, or a local table that Citus manages. */
  readonly isCitus?: true
}

/**
 * What a stream is doing. `idle`: no row is pending. `writing`: rows are pending. `retrying`: the last
 * attempt of a lane has failed, and another one follows. `failed`: the stream was destroyed before it
 * finished. `ended`: every row is settled, and no other one follows.
 */
export type StreamState = 'idle' | 'writing' | 'retrying' | 'failed' | 'ended'

/** Counts of a stream, and what it is doing. `rowsReceived` is always the sum of the other five `rows…`. */
export interface Stats {
  rowsReceived: number
  /** Rows that were inserted, updated or deleted, as the server's command tags count them. */
  rowsCommitted: number
  /**
   * Rows that were sent in a committed transaction and changed nothing: a conflict with DO NOTHING, a
   * condition that does not hold, a trigger that returned NULL, a rule, an update or a delete without a
   * match.
   */
  rowsUnchanged: number
  /** Rows that were permanently rejected, and handed to the dead letter if there is one. */
  rowsRejected: number
  /** Items without a row, and items that were in the table already, as a checkpoint shows. */
  rowsSkipped: number
  rowsPending: number
  batchesReceived: number
  /** With `laneOf`, each part of a batch counts. */
  batchesCommitted: number
  transactions: number
  /** Bytes of row data. What a retry sends again does not count. */
  bytesSent: number
  state: StreamState
  /** When the last COMMIT was answered; undefined before the first one. */
  lastCommitAt: Date | undefined
  /**
   * How long the oldest pending batch has been pending, in milliseconds; 0 when none is, or after the stream
   * was destroyed. It grows while the stream waits for a lock, for a server or for a retry.
   */
  oldestPendingMs: number
}

/** The counts among the stats. */
export type CountName = Exclude<keyof Stats, 'state' | 'lastCommitAt' | 'oldestPendingMs'>
