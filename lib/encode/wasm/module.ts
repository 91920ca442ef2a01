/** A number that a module exports. */
export interface Exported {
  readonly value: number
}

/** The bytes that are handed to a module at once: about what is sent at once. */
export const RUN_BYTES = 128 * 1024

/** The number of a shape, for rows that go into the table itself and not into a staging table. */
export const NO_STAGING = -1
