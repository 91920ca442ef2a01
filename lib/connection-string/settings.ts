/**
 * A connection string's parameters, by libpq's names. `host` and `port` may be lists; `dbname` is the
 * database.
 */
export type Settings = ReadonlyMap<string, string>
