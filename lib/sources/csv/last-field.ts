import { pipeline, Transform } from 'node:stream'
import { CsvRecord } from '../../csv/record.ts'
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
  let number = 0

  function shortened(record: CsvRecord): CsvRecord {
    number++
    const { chunk, start, end, line, fault } = record
    if (fault !== undefined) return record
    if (endsWithDelimiter(record, format.delimiter)) return new CsvRecord(chunk, start, end - 1, line)
    const ends = `the first records end with ${nameOf(longDelimiter ?? format.delimiter)}`
    const problem = `line ${line} has a value after the last column: ${ends}`
    if (!keepsMalformed) throw new MalformedRecord(`${fileOf(number)}: ${problem}`)
    return new CsvRecord(chunk, start, end, line, problem)
  }

  const stream = new Transform({
    objectMode: true,
    highWaterMark: 2, // arrays
    transform(batch: CsvRecord[], _encoding, done) {
      const taken: CsvRecord[] = []
      runWork(
        () => {
          try {
            for (const record of batch) taken.push(shortened(record))
          } finally {
            if (taken.length > 0) this.push(taken) // also the records before an error
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
