import { FieldCutter } from '../../csv/field-cutter.ts'
import { type CsvFormat, type CsvRecord, nulMessage } from '../../csv/record.ts'
import type { RecordTable } from '../../csv/record-table.ts'

/**
 * Returns a function that takes the fault from records whose NULs are in fields that are not loaded. Other
 * records keep theirs.
 * @param fields the column of each field
 */
export function judgeNuls(
  format: CsvFormat,
  fields: readonly (string | undefined)[],
): (records: RecordTable) => RecordTable {
  const cutter = new FieldCutter(format)
  const loaded = fields.flatMap((column, field) => (column === undefined ? [] : [field]))
  const isFaulty = (record: CsvRecord) => {
    if (record.fault !== nulMessage(record) || cutter.cut(record) !== fields.length) return true
    const { starts, ends } = cutter
    return loaded.some(field => record.chunk.subarray(starts[field], ends[field]).includes(0))
  }
  return records => (records.faults ? records.withFaultsIf(isFaulty) : records)
}
