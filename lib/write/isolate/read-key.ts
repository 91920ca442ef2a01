import { FieldCutter } from '../../csv/field-cutter.ts'
import type { CsvRecord } from '../../csv/record.ts'
import type { CsvColumns } from '../../encode/row-encoder.ts'
import type { TablePlan } from '../plan/table-plan.ts'

/** Returns the texts of a row's key; undefined where a value is missing or NULL, or has no text. */
export type ReadKey = (row: object) => readonly string[] | undefined

/** Returns the reader of the columns of a key. Undefined if not all of them are written. */
export function keyReader(plan: TablePlan, names: readonly string[]): ReadKey | undefined {
  return plan.csv ? fieldsReader(names, plan.csv) : columnsReader(names, plan)
}

function columnsReader(names: readonly string[], { columns, objectOf }: TablePlan): ReadKey | undefined {
  const named = names.flatMap(name => columns.find(column => column.name === name) ?? [])
  if (named.length < names.length || named.length === 0) return undefined
  return row => {
    try {
      const object = objectOf(row)
      const texts: string[] = []
      for (const { read, known } of named) {
        const value = read(object)
        const text = value === null || value === undefined ? null : known!.codec.text(value)
        if (typeof text !== 'string') return undefined // NULL, or bytes without a text
        texts.push(text)
      }
      return texts
    } catch {
      return undefined // the row is refused for this when it is sent
    }
  }
}

/** Equal fields are equal texts. */
function fieldsReader(names: readonly string[], { format, fields }: CsvColumns): ReadKey | undefined {
  const indexes = names.map(name => fields.indexOf(name))
  if (indexes.includes(-1) || indexes.length === 0) return undefined
  const cutter = new FieldCutter(format)
  return row => {
    const record = row as CsvRecord
    if (record.fault !== undefined || cutter.cut(record) !== fields.length) return undefined
    const texts: string[] = []
    for (const index of indexes) {
      const text = cutter.text(record.chunk, index)
      if (text === null) return undefined
      texts.push(text)
    }
    return texts
  }
}
