import { plural } from '../values/format-count.ts'

/** How a CSV file separates and quotes fields. Each character is an ASCII character, as for `COPY`. */
export interface CsvFormat {
  readonly delimiter: string
  /** The character around fields; undefined: fields are never quoted. */
  readonly quote: string | undefined
  /** The character before a quote inside quotes. */
  readonly escape: string | undefined
  /** The unquoted texts that mean NULL. */
  readonly nulls: readonly string[]
  /** These texts also mean NULL in quotes, as with COPY's FORCE_NULL. @default false */
  readonly forceNull?: boolean
}

/**
 * A record of a CSV file: its bytes in the file, in UTF-8, without the line end. They are neither copied nor
 * split.
 */
export class CsvRecord {
  readonly chunk: Buffer
  readonly start: number
  readonly end: number
  /** The line of the file on which it begins, from 1. */
  readonly line: number
  /** Its number in the input, from 1; the reader of the input sets it. */
  number = 0
  /** Why it is malformed: its fields are unknown, and it is rejected. Undefined for nearly every record. */
  readonly fault: string | undefined

  constructor(chunk: Buffer, start: number, end: number, line: number, fault?: string) {
    this.chunk = chunk
    this.start = start
    this.end = end
    this.line = line
    this.fault = fault
  }

  /** Its bytes. */
  get bytes(): Buffer {
    return this.chunk.subarray(this.start, this.end)
  }

  /** Returns its text; the chunk also holds other records. */
  toJSON(): string {
    return this.chunk.toString('utf8', this.start, this.end)
  }
}

/**
 * Returns the fault of a record with a NUL, which no type holds. It is no fault where that field is not
 * loaded.
 */
export function nulMessage({ line }: CsvRecord): string {
  return `the record that begins on line ${line} has a ${NUL_BYTE}`
}

export const NUL_BYTE = 'NUL byte (U+0000)'

/**
 * Returns the message that a record has another number of fields than the file has columns; it shows no
 * values.
 */
export function raggedMessage({ line }: CsvRecord, found: number, expected: number): string {
  const has = `has ${plural(found, 'field')}, the file has ${plural(expected, 'column')}`
  return `the record that begins on line ${line} ${has}`
}
