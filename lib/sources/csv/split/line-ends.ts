import { LINE_FEED, RETURN } from '../../../values/text/ascii.ts'

/** Why a record is malformed that ends, or begins, at a line end of another kind. */
export function otherLineEnd(line: number): string {
  return (
    `the record that begins on line ${line} has a line end of another kind than the first line: ` +
    'a carriage return or a line feed inside a field has to be in quotes'
  )
}

/**
 * Finds the records of a file that end in another way than its first line: by a carriage return alone in a
 * file of line feeds, or the other way round. In a file of one column such a line end may be a part of a
 * field that was not quoted, and nothing else shows that: with more columns the number of fields would be
 * wrong.
 */
export class LineEnds {
  #first: 'feed' | 'return' | undefined

  /**
   * Returns true if the record's line end is of another kind than that of the first record.
   * @param chunk has the line end after the record; without one the file has ended
   */
  isOther(chunk: Buffer, end: number): boolean {
    if (end >= chunk.length) return false
    const kind = chunk[end] === RETURN && chunk[end + 1] !== LINE_FEED ? 'return' : 'feed'
    this.#first ??= kind
    return kind !== this.#first
  }
}
