import type { Levels } from '../pages/read-levels.ts'

/**
 * Some entries of a leaf. An entry is a value, a NULL, or a list without elements.
 * @see https://parquet.apache.org/docs/file-format/nestedencoding/
 */
export interface Entries {
  /** For each entry how many of the optional and repeated nodes of its path are there. */
  readonly definitions: Levels
  /** For each entry the list that it continues, counted from the root. 0: it begins a row. */
  readonly repetitions: Levels
  /** Returns the value of an entry, or null. */
  readonly valueAt: (entry: number) => unknown
}

/** The entries of whole rows. */
export interface LeafRows extends Entries {
  /** The entries at which the rows begin, and at last where the last one ends. */
  readonly starts: Int32Array
}
