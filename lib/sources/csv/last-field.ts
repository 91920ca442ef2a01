import { pipeline, Transform } from 'node:stream'
import type { CsvRecord } from '../../csv/record.ts'
import type { RecordTable } from '../../csv/record-table.ts'
import { RecordTableBuilder } from '../../csv/record-table-builder.ts'
import { runWork } from '../../streams/run-work.ts'
import { MalformedRecord } from '../source-error.ts'
import { delimiterName } from './dialect.ts'
import { type Records, rowMaker } from './record-rows.ts'

/** Returns true if the last field of a record is empty, and not in quotes: a delimiter is the last byte. */
export function endsWithDelimiter({ chunk, start, end }: CsvRecord, delimiter: string): boolean {
  return end > start && chunk[end - 1] === delimiter.charCodeAt(0)
}

/**
 * Returns the records without their last field, for a file whose records end with a delimiter. A record that
 * does not is malformed, so that no value is left out.
 * @param fileOf returns the name of a record's file, by the record's number from 1
 */
export function withoutLastField(records: Records, fileOf: (number: number) => string): Records {
  const { format, keepsMalformed, longDelimiter } = records
  const header = records.header.slice(0, -1)
  const taken = new RecordTableBuilder()
  let number = 0

  function addShortened(record: CsvRecord): void {
    number++
    const { chunk, start, end, line, fault } = record
    if (fault !== undefined) taken.addRecord(record)
    else if (endsWithDelimiter(record, format.delimiter)) taken.add(chunk, start, end - 1, line)
    else taken.add(chunk, start, end, line, problemOf(line))
  }

  function problemOf(line: number): string {
    const ends = `the first records end with ${nameOf(longDelimiter ?? format.delimiter)}`
    const problem = `line ${line} has a value after the last column: ${ends}`
    if (!keepsMalformed) throw new MalformedRecord(`${fileOf(number)}: ${problem}`)
    return problem
  }

  const stream = new Transform({
    objectMode: true,
    highWaterMark: 2, // tables
    transform(records: RecordTable, _encoding, done) {
      runWork(
        () => {
          try {
            for (const record of records) addShortened(record)
          } finally {
            const table = taken.take()
            if (table) this.push(table) // also the records before an error
          }
        },
        error => done(error),
      )
    },
  })
  pipeline(records.stream, stream, () => {})
  return { ...records, header, stream, ...rowMaker(format, header, longDelimiter) }
}

function nameOf(delimiter: string): string {
  return delimiter === '\t'
    ? 'a tab'
    : delimiterName(delimiter)
        .replace(/s$/, '')
        .replace(/^(?=[a-z])/, 'a ')
}
