/**
 * What is used of `pg`, as structural types: any pool that looks like pg's will do (pg, pg-native's, your own
 * wrapper, pg-mem's), and the package needs no types of pg.
 */

export interface PgResultLike {
  rows: Record<string, unknown>[]
  rowCount: number | null
  /** The command tag's first word, such as INSERT, COMMIT or ROLLBACK. */
  command?: string
}

export interface PgClientLike {
  // a method, and loosely typed, because pg's own type is a set of overloads
  query(text: string, values?: unknown[]): Promise<PgResultLike>
  release(error?: Error | boolean): void
  /** pg's own settings of the connection. */
  readonly connectionParameters?: { readonly query_timeout?: number | boolean }
  /** Returns the function that makes a value of a type's text. */
  getTypeParser?(oid: number, format: 'text'): (text: string) => unknown
  on?(event: 'error', listener: (error: Error) => void): unknown
  removeListener?(event: 'error', listener: (error: Error) => void): unknown
}

export interface PgPoolLike {
  connect(): Promise<PgClientLike>
  /** How many calls of `connect` wait for a client that another caller has; not every pool counts them. */
  readonly waitingCount?: number
  /** pg-pool emits each new client before it hands it over, and idle clients that the server has ended. */
  on?(event: 'connect' | 'error', listener: (client: PgClientLike) => void): unknown
}

/** pg's connection, as a Submittable gets it. pg-cursor and pg-copy-streams use the same object. */
export interface PgConnectionLike {
  query(text: string): void
  sendCopyFail(message: string): void
  stream: {
    write(bytes: Uint8Array, encoding?: BufferEncoding, callback?: (error?: Error | null) => void): boolean
    /** Bytes that wait in the socket; sockets of other runtimes may not count them. */
    readonly writableLength?: number
    /** Absent from sockets of other runtimes. */
    cork?(): void
    uncork?(): void
  }
}
