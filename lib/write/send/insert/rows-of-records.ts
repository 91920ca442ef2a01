import { FieldCutter } from '../../../csv/field-cutter.ts'
import { CsvRecord, raggedMessage } from '../../../csv/record.ts'
import { NO_CSV_RECORD } from '../../../encode/row-contract.ts'
import type { CsvColumns } from '../../../encode/row-encoder.ts'
import type { RowGroup } from '../../rows/batch.ts'
import { RowError } from '../../rows/row-sender.ts'

/**
 * Turns records of a CSV file into objects, because INSERT does not take records as COPY does: the text of
 * each field, or null, under the name of its column.
 * @throws RowError for a record with too few or too many fields
 */
export function rowsOfRecords(group: RowGroup, csv: CsvColumns): RowGroup {
  const cutter = new FieldCutter(csv.format)
  return { ...group, rows: group.rows.map((_, index) => rowOfRecord(group, index, csv, cutter)) }
}

function rowOfRecord(group: RowGroup, index: number, { fields }: CsvColumns, cutter: FieldCutter): object {
  const record = group.rows.at(index)
  if (!(record instanceof CsvRecord)) throw new RowError({ group, index }, NO_CSV_RECORD, undefined)
  const count = cutter.cut(record)
  if (count !== fields.length) {
    throw new RowError({ group, index }, raggedMessage(record, count, fields.length), undefined)
  }
  return Object.fromEntries(
    fields.flatMap((column, field): [string, string | null][] =>
      column === undefined ? [] : [[column, cutter.text(record.chunk, field)]],
    ),
  )
}
