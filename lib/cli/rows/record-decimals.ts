import { FieldCutter } from '../../csv/field-cutter.ts'
import { type CsvFormat, CsvRecord } from '../../csv/record.ts'
import { COMMA, POINT } from '../../values/text/ascii.ts'
import { notOneComma } from '../columns/decimal-comma.ts'

/**
 * Returns a function that makes points of the decimal commas in a record. A record without one is returned as
 * it is. Others are copied, because the bytes of a record may be read again.
 * @param fields the column of each field
 * @param numeric the columns whose values are numbers
 * @throws TypeMismatch for a number with a point or two commas
 */
export function recordDecimals(
  format: CsvFormat,
  fields: readonly (string | undefined)[],
  numeric: ReadonlySet<string>,
): (record: CsvRecord) => CsvRecord {
  const cutter = new FieldCutter(format)
  const numbers = fields.flatMap((column, field) =>
    column !== undefined && numeric.has(column) ? [{ field, column }] : [],
  )
  return record => {
    if (record.fault !== undefined || cutter.cut(record) !== fields.length) return record
    const { chunk, start, end, line } = record
    let copy: Buffer | undefined
    for (const { field, column } of numbers) {
      if (cutter.isNull(chunk, field)) continue
      const [from, to] = [cutter.starts[field]!, cutter.ends[field]!]
      const comma = onlyComma(chunk, from, to)
      if (comma === undefined) throw notOneComma(column)
      if (comma < 0) continue
      copy ??= Buffer.from(record.bytes)
      copy[comma - start] = POINT
    }
    if (!copy) return record
    const converted = new CsvRecord(copy, 0, end - start, line)
    converted.number = record.number
    return converted
  }
}

/** Returns the index of the comma, or -1. Returns undefined for two commas, and if there is a point. */
function onlyComma(chunk: Buffer, start: number, end: number): number | undefined {
  let comma = -1
  for (let at = start; at < end; at++) {
    if (chunk[at] === POINT || (chunk[at] === COMMA && comma >= 0)) return undefined
    if (chunk[at] === COMMA) comma = at
  }
  return comma
}
