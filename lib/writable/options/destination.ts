import type { PgPoolLike } from '../../connection/pg-types.ts'

/** Where to write: to a pool of the caller's, or to the server that a connection string names. */
export type Destination =
  | {
      /** Provides the clients. The stream takes one for each transaction, and never ends the pool. */
      pool: PgPoolLike
      connectionString?: undefined
    }
  | {
      /**
       * Makes the stream create a pool of its own when the first batch comes, and end it at the end. Needs
       * the package pg. A URL, or libpq's `keyword=value` pairs, with one host or several.
       * `target_session_attrs` and `load_balance_hosts` apply to every new connection. PG* environment
       * variables supply what the string leaves out. The string is checked at construction: an unknown
       * parameter is an error, and so is a security parameter that cannot be honoured.
       * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
       */
      connectionString: string
      pool?: undefined
    }
