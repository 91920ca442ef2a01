import type { Readable } from 'node:stream'
import type { DialectOptions } from '../csv/dialect.ts'
import type { Format } from '../format.ts'
import type { Encoding } from '../input/encoding.ts'
import type { Spool } from '../input/spool.ts'
import type { RecordPath } from '../json/record-path.ts'
import type { Repairs } from '../repairs.ts'
import type { BatchLimits } from '../rows.ts'

export interface SourceOptions {
  /** Default: by the file's extension, otherwise by its first character. */
  format?: Format | undefined
  /** Default: UTF-16 if there is its byte order mark, otherwise UTF-8. */
  encoding?: Encoding | undefined
  /** How CSV is written. A delimiter and a quote that are not set are detected from the first records. */
  dialect?: DialectOptions
  /** Detect whether CSV has a header, unless the dialect sets it. @default false: it has one */
  judgesHeader?: boolean
  /** The delimiter to choose if two fit equally. */
  preferredDelimiter?: string | undefined
  /** The maximum of rows in a table of `Source.records`, or an array of the others. @default 1000 */
  batchRows?: number | undefined
  /** How large a table of CSV records is. Default: `batchRows`, or 1 MiB */
  csvBatch?: BatchLimits | undefined
  /** Default: the process's. */
  stdin?: Readable
  /** Called with each stream of bytes whose rows are read, as it comes from the disk or the pipe. */
  onOpen?: (raw: Readable) => void
  /** Numbers have decimal commas, so that a comma is not taken for the delimiter. @default false */
  hasDecimalCommas?: boolean
  /** Keeps the bytes of inputs that can be read only once, if they are read more often. */
  spool?: Spool
  /** Malformed records are handed on, to be rejected, instead of failing the reading. @default false */
  keepsMalformed?: boolean
  /** Repair records of CSV where there is no doubt about what they mean. @default false */
  lenient?: boolean | undefined
  /** Lines at the beginning of a CSV file that are skipped. @default 0 */
  skipLines?: number | undefined
  /** The records of its header, whose texts are joined. @default 1 */
  headerLines?: number | undefined
  /** How many fields the records of a file without a header should have, where they do not agree. */
  expectedWidth?: number | undefined
  /** Fit the header to be columns: make names, and skip a title above it. @default false: they are errors */
  fitsHeader?: boolean
  /** A first line `sep=;` is an error. @default false: it names the delimiter */
  strictHeader?: boolean | undefined
  /** The keys that lead from each JSON document to its records. Default: the document, or its elements */
  recordPath?: RecordPath | undefined
  /** Counts the repairs. */
  repairs?: Repairs | undefined
  /** The files are opened more than once. @default several files are */
  reopened?: boolean
}
