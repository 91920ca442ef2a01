import type { EventEmitter } from 'node:events'
import type { Duplex, Readable, Writable } from 'node:stream'

/*
 * The client of callbacks, as a structural type: it is assignable to and from `pg`'s `PoolClient`, so that
 * query builders and helpers written for `pg` take it, and the package needs no types of pg.
 */

/** What `pg` runs as a query besides text: a stream of pg-copy-streams, a cursor, a `pg.Query`. */
export interface PgSubmittable {
  submit(connection: never): unknown
}

/** A query as an object, as `pg` takes it. */
export interface PgQueryConfig {
  text: string
  values?: unknown
  /** A prepared statement's name. A pooler in transaction mode may not support these. */
  name?: string | undefined
}

/** A query whose rows are arrays. */
export interface PgArrayQueryConfig extends PgQueryConfig {
  rowMode: 'array'
}

export interface PgQueryResult<Row> {
  rows: Row[]
  /** How many rows the command has inserted, updated, deleted or returned. */
  rowCount: number | null
  /** The command tag's first word, such as INSERT or SELECT. */
  command: string
  oid: number
  fields: PgField[]
}

/** A column of a result. */
export interface PgField {
  name: string
  tableID: number
  columnID: number
  dataTypeID: number
  dataTypeSize: number
  dataTypeModifier: number
  format: string
}

type QueryCallback<Row> = (error: Error, result: PgQueryResult<Row>) => void

/**
 * The client that `onBegin` and `inTransaction` get. It is a client of your pool, in the stream's
 * transaction. The members other than `query` are those of `pg`; a pool of another kind may lack some.
 * `release()`, `end()` and `connect()` are refused, or belong to the stream.
 */
export interface PgTransactionClient extends PgSession {
  release(error?: Error | boolean): void
}

/** A connection as `pg` types it. */
export interface PgSession extends EventEmitter {
  query<Query extends PgSubmittable>(submittable: Query): Query
  query<Row extends unknown[] = unknown[]>(
    query: PgArrayQueryConfig,
    values?: unknown,
  ): Promise<PgQueryResult<Row>>
  query<Row extends object = Record<string, unknown>>(
    query: string | PgQueryConfig,
    values?: unknown,
  ): Promise<PgQueryResult<Row>>
  query<Row extends unknown[] = unknown[]>(query: PgArrayQueryConfig, callback: QueryCallback<Row>): void
  query<Row extends object = Record<string, unknown>>(
    query: string | PgQueryConfig,
    callback: QueryCallback<Row>,
  ): void
  query<Row extends object = Record<string, unknown>>(
    query: string,
    values: unknown,
    callback: QueryCallback<Row>,
  ): void
  connect(): Promise<PgSession>
  connect(callback: (error: Error) => void): void
  end(): Promise<void>
  end(callback: (error: Error) => void): void
  copyFrom(text: string): Writable
  copyTo(text: string): Readable
  pauseDrain(): void
  resumeDrain(): void
  escapeIdentifier(text: string): string
  escapeLiteral(text: string): string
  setTypeParser(oid: number, parse: (value: string) => unknown): void
  setTypeParser(oid: number, format: 'text' | 'binary', parse: (value: string) => unknown): void
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown
  getTransactionStatus(): 'I' | 'T' | 'E' | null
  readonly port: number
  readonly host: string
  readonly ssl: boolean
  readonly pipeline: boolean
  readonly connection: PgSessionConnection
}

/** The protocol's side of a connection, as `pg` types it. */
export interface PgSessionConnection extends EventEmitter {
  readonly stream: Duplex
  bind(config: unknown, more: boolean): void
  execute(config: unknown, more: boolean): void
  parse(query: unknown, more: boolean): void
  query(text: string): void
  describe(message: unknown, more: boolean): void
  close(message: unknown, more: boolean): void
  flush(): void
  sync(): void
  end(): void
}
