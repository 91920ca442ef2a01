import type { Repairs } from '../repairs.ts'
import type { HeaderOptions } from './read-header.ts'
import type { SampledRecord } from './sniff/sample-records.ts'

export interface CsvOptions extends HeaderOptions {
  /** The maximum of records in a table. */
  batchRows: number
  /** About how many bytes its records have at most. @default BATCH_BYTES */
  batchBytes?: number | undefined
  /**
   * Fill tables from several chunks. If not, the records of a chunk are passed on at once, for a pipe that
   * may pause.
   */
  fill: boolean
  /**
   * Pass on malformed records, and those that are not UTF-8, with their fault. Records with a NUL are always
   * passed on with it: it counts only in a field that is loaded.
   * @default false: an error
   */
  keepsMalformed?: boolean | undefined
  /** Repair records where there is no doubt about what they mean. @default false */
  lenient?: boolean | undefined
  /** Counts the repairs. */
  repairs?: Repairs | undefined
  /** The first records, from the header on. They show what records look like that need no repair. */
  sampled?: readonly SampledRecord[] | undefined
  /** The number of fields, if there is no header. @default that of the first record */
  width?: number | undefined
  /** The records of the header, whose texts are joined. @default 1 */
  headerLines?: number | undefined
  /** Lines of the file that were skipped. @default 0 */
  linesBefore?: number | undefined
  /** The encoding of the file, for messages. @default UTF-8 */
  encoding?: string | undefined
  /** The delimiter in the file, if the dialect's takes its place. */
  longDelimiter?: string | undefined
}
