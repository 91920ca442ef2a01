import { PgBatchError } from '../errors.ts'
import { type Batch, type InvalidItem, type PreparedBatch, type RowGroup, range, unsent } from './batch.ts'
import { checkItems, mapItems, type Rows } from './make-rows.ts'
import type { WritePlan } from './plan.ts'
import { splitByOperation } from './split-by-operation.ts'

/**
 * Makes rows of a batch's items, checks their keys, and groups them by shape. A missing key or `undefined` makes a
 * shape of its own only where the column has a DEFAULT; elsewhere it is the same as null. What is no row is listed
 * with its error.
 */
export function prepareBatch<Item>(batch: Batch<Item>, plan: WritePlan<Item>): PreparedBatch {
  if (batch.prepared) return batch.prepared
  const invalid: InvalidItem[] = []
  const rows = plan.toRow ? mapItems(batch, plan.toRow, invalid) : checkItems(batch, invalid)
  const known = plan.unknownKeys === 'ignore' ? rows : checkKeys(rows, batch, plan, invalid)
  const skipped = batch.count - known.rows.length - invalid.length
  const { upserts, deletes } = plan.operation
    ? splitByOperation(known, batch, plan, plan.operation, invalid)
    : { upserts: known, deletes: [] }
  const groups = [...groupByShape(upserts, batch, plan, invalid), ...deletes]
  batch.prepared = { skipped, groups, invalid }
  return batch.prepared
}

function checkKeys<Item>(
  { rows, indexes }: Rows,
  batch: Batch<Item>,
  plan: WritePlan<Item>,
  invalid: InvalidItem[],
): Rows {
  // rows of one source list their keys in one order: comparing with the last good row beats a look-up for each key
  let expected: string[] = []
  const unknown = new Set<number>()
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as Record<string, unknown>
    if (startsAs(row, expected)) continue
    expected = []
    for (const key in row) {
      if (plan.columnNames.has(key)) expected.push(key)
      else if (row[key] !== undefined) {
        const index = indexes ? indexes[i]! : i
        invalid.push({ index, error: unknownKey(batch, index, key, plan) })
        unknown.add(i)
        break
      }
    }
  }
  if (unknown.size === 0) return { rows, indexes }
  const kept = range(0, rows.length).filter(i => !unknown.has(i))
  return { rows: kept.map(i => rows[i]!), indexes: kept.map(i => (indexes ? indexes[i]! : i)) }
}

/** True when the row's keys are the first of `keys`, in that order. */
function startsAs(row: object, keys: readonly string[]): boolean {
  let matched = 0
  for (const key in row) {
    if (key !== keys[matched]) return false
    matched++
  }
  return true
}

function unknownKey<Item>(
  batch: Batch<Item>,
  index: number,
  key: string,
  plan: WritePlan<Item>,
): PgBatchError {
  const reason = `The row has the key ${JSON.stringify(key)}, ${plan.whyNotColumn(key)}`
  return new PgBatchError('ROW_INVALID', reason, { ...unsent(batch, index), column: key })
}

function groupByShape<Item>(
  { rows, indexes }: Rows,
  batch: Batch<Item>,
  plan: WritePlan<Item>,
  invalid: InvalidItem[],
): RowGroup[] {
  if (rows.length === 0) return []
  if (plan.defaulted.length === 0) return [{ batch, shape: plan.shapeWithout(''), rows, indexes }]
  const groups = new Map<string, { rows: object[]; indexes: number[] }>()
  for (let i = 0; i < rows.length; i++) {
    const index = indexes ? indexes[i]! : i
    let missing: string
    try {
      missing = missingIn(rows[i]!, batch, index, plan)
    } catch (error) {
      invalid.push({ index, error: error as PgBatchError })
      continue
    }
    let group = groups.get(missing)
    if (!group) {
      group = { rows: [], indexes: [] }
      groups.set(missing, group)
    }
    group.rows.push(rows[i]!)
    group.indexes.push(index)
  }
  const [only] = groups
  if (groups.size === 1 && only![1].rows.length === rows.length) {
    return [{ batch, shape: plan.shapeWithout(only![0]), rows, indexes }]
  }
  return [...groups].map(([missing, group]) => ({ batch, shape: plan.shapeWithout(missing), ...group }))
}

/** The columns with a DEFAULT that a row has no value for, as `'2,5,'`. */
function missingIn<Item>(row: object, batch: Batch<Item>, index: number, plan: WritePlan<Item>): string {
  let missing = ''
  for (const column of plan.defaulted) {
    try {
      if (plan.valueOf(row, column) === undefined) missing += `${column},`
    } catch (cause) {
      const { name } = plan.columns[column]!
      const reason = `Column ${JSON.stringify(name)} could not be read`
      throw new PgBatchError('ROW_INVALID', reason, { ...unsent(batch, index), column: name, cause })
    }
  }
  return missing
}
