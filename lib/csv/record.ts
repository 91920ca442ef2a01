import { plural } from '../values/format-count.ts'

/** What has to be known of a CSV file to tell the fields of its records. Every character is one of ASCII, as for `COPY`. */
export interface CsvFormat {
  readonly delimiter: string
  /** The character around fields; undefined: fields are never quoted, and a quote is a character like any other. */
  readonly quote: string | undefined
  /** The character before a quote inside quotes. */
  readonly escape: string | undefined
  /** The unquoted texts that mean NULL. */
  readonly nulls: readonly string[]
  /** They mean NULL in quotes, too, as for COPY's FORCE_NULL. @default false */
  readonly forceNull?: boolean
}

/** Where the fields of a CSV file go. */
export interface CsvColumns {
  readonly format: CsvFormat
  /** The column of each field; undefined: the field goes nowhere. */
  readonly fields: readonly (string | undefined)[]
}

/** A record of a CSV file: its bytes in UTF-8 as they stand there, without the line end. Nothing of it is copied or split. */
export class CsvRecord {
  readonly chunk: Buffer
  readonly start: number
  readonly end: number
  /** The line of the file on which it ends, from 1. */
  readonly line: number
  /** Its number in the input, from 1, as whoever counts the records has set it. */
  number = 0

  constructor(chunk: Buffer, start: number, end: number, line: number) {
    this.chunk = chunk
    this.start = start
    this.end = end
    this.line = line
  }

  /** Its text; the chunk, which holds other records, would be no use to whoever prints this one. */
  toJSON(): string {
    return this.chunk.toString('utf8', this.start, this.end)
  }
}

/** Says that a record has fields for other columns than the file does, without what stands in them. */
export function raggedText({ line }: CsvRecord, found: number, expected: number): string {
  const has = `has ${plural(found, 'field')}, the file has ${plural(expected, 'column')}`
  return `the record that ends on line ${line} ${has}`
}
