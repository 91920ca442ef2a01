import { FieldCutter } from '../../csv/field-cutter.ts'
import type { CsvRecord } from '../../csv/record.ts'
import type { CsvColumns } from '../../encode/row-encoder.ts'
import type { SelfReference } from '../../types.ts'
import type { TablePlan } from '../plan/plan.ts'
import type { PlannedColumn } from '../plan/planned-columns.ts'
import type { RowShape } from '../rows/row-shapes.ts'

interface Row {
  readonly row: object
  readonly shape: RowShape
}

/**
 * Orders rows so that each one comes after the row of the batch that its foreign key refers to, and puts rows
 * that refer to each other in a circle together. Other rows keep their order. Keys are compared by their
 * text, which may differ for equal values (`1.0` and `1` are one numeric): the order saves work, and decides
 * nothing.
 *
 * Depth-first: Tarjan's algorithm finds circles, and lists each circle after those that it leads to.
 * @see https://en.wikipedia.org/wiki/Tarjan%27s_strongly_connected_components_algorithm
 */
export function parentsFirst<R extends Row>(rows: readonly R[], plan: TablePlan): (readonly R[])[] {
  if (plan.selfReferences.length === 0) return rows.map(row => [row])
  const parents = parentsOf(rows, plan)
  const units: R[][] = []
  const order = new Int32Array(rows.length).fill(-1)
  const lowest = new Int32Array(rows.length)
  const onPath = new Uint8Array(rows.length)
  const path: number[] = []
  let visited = 0
  const enter = (index: number): { index: number; next: number } => {
    order[index] = lowest[index] = visited++
    onPath[index] = 1
    path.push(index)
    return { index, next: 0 }
  }
  for (let root = 0; root < rows.length; root++) {
    if (order[root]! >= 0) continue
    // an explicit stack: a batch may be one long chain
    const calls = [enter(root)]
    while (calls.length > 0) {
      const call = calls.at(-1)!
      const { index } = call
      const parent = parents[index]![call.next++]
      if (parent !== undefined) {
        if (order[parent]! < 0) calls.push(enter(parent))
        else if (onPath[parent]) lowest[index] = Math.min(lowest[index]!, order[parent]!)
        continue
      }
      calls.pop()
      const caller = calls.at(-1)
      if (caller) lowest[caller.index] = Math.min(lowest[caller.index]!, lowest[index]!)
      if (lowest[index] !== order[index]) continue
      const members = path.splice(path.lastIndexOf(index))
      for (const member of members) onPath[member] = 0
      units.push(members.sort((a, b) => a - b).map(member => rows[member]!))
    }
  }
  return units
}

/** Returns for each row the indexes of the rows that it refers to, itself left out. */
function parentsOf(rows: readonly Row[], plan: TablePlan): number[][] {
  const parents = rows.map((): number[] => [])
  for (const reference of plan.selfReferences) {
    const [children, keys] = plan.csv
      ? fieldsOf(reference, plan.csv)
      : columnsOf(reference, plan).map(columns => (row: object) => keyOf(plan.objectOf(row), columns))
    const byKey = new Map<string, number>()
    for (const [index, row] of rows.entries()) {
      const key = row.shape.deletes ? undefined : keys!(row.row)
      if (key !== undefined && !byKey.has(key)) byKey.set(key, index)
    }
    for (const [index, row] of rows.entries()) {
      const key = row.shape.deletes ? undefined : children!(row.row)
      const parent = key === undefined ? undefined : byKey.get(key)
      if (parent !== undefined && parent !== index) parents[index]!.push(parent)
    }
  }
  return parents
}

function columnsOf(reference: SelfReference, { columns }: TablePlan): [PlannedColumn[], PlannedColumn[]] {
  const named = (names: readonly string[]): PlannedColumn[] =>
    names.flatMap(name => columns.find(column => column.name === name) ?? [])
  return [named(reference.columns), named(reference.references)]
}

/** Returns the text of a row's key; undefined where a value is missing or has no text. */
function keyOf(row: object, columns: readonly PlannedColumn[]): string | undefined {
  const texts: string[] = []
  for (const { read, known } of columns) {
    try {
      const value = read(row)
      const text = value === null || value === undefined ? null : known!.codec.text(value)
      if (text === null) return undefined
      texts.push(typeof text === 'string' ? text : text.toString('hex'))
    } catch {
      return undefined // the row is refused for this when it is sent
    }
  }
  return texts.length === 0 ? undefined : JSON.stringify(texts)
}

/** Returns the readers of both keys in records of a CSV file. Equal fields are equal texts. */
function fieldsOf({ columns, references }: SelfReference, { format, fields }: CsvColumns): ReadKey[] {
  const cutter = new FieldCutter(format)
  return [columns, references].map(names => {
    const indexes = names.map(name => fields.indexOf(name))
    return row => {
      const record = row as CsvRecord
      if (record.fault !== undefined || cutter.cut(record) !== fields.length) return undefined
      const texts = indexes.map(index => cutter.text(record.chunk, index))
      return texts.includes(null) ? undefined : JSON.stringify(texts)
    }
  })
}

/** Returns the text of a row's key; undefined where a value is missing. */
type ReadKey = (row: object) => string | undefined
