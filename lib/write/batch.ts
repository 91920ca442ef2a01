import { ValueError } from '../encode/row-encoder.ts'
import { PgBatchError } from '../errors.ts'
import { askOperation, missingKey, type OperationError } from './operation.ts'
import type { RowShape, WritePlan } from './plan.ts'

/** One array that was written to the stream, or the part of it that belongs to one lane. */
export interface Batch<Item> {
  /** The number of the array, from 1, in the order of writing. */
  readonly id: number
  /** How many items came. */
  readonly count: number
  /** Empty once nothing but their rows' bytes is held, see `holdBytesOnly`. */
  items: readonly Item[]
  /** Places of `items` in the array, where they are only a part of it. */
  readonly places?: readonly number[] | undefined
  /** What `prepareBatch` made of the items, kept so that `toRow` and `position` run once for each. */
  prepared?: PreparedBatch
}

/** The rows of a batch, checked against the table. */
export interface PreparedBatch {
  readonly groups: readonly RowGroup[]
  /** Items that `toRow` made no row of. */
  readonly skipped: number
  /** Items that are no rows of this table, and will not become any. */
  readonly invalid: readonly InvalidItem[]
}

export interface InvalidItem {
  /** Index into the batch's items. */
  readonly index: number
  readonly error: PgBatchError
}

/** Rows of one batch that have values for the same set of columns, in their order. */
export interface RowGroup {
  readonly batch: Batch<unknown>
  readonly shape: RowShape
  readonly rows: readonly object[]
  /** Indexes of the rows' items in the batch; undefined: the same as the rows'. */
  readonly indexes: readonly number[] | undefined
  /** What the rows became, in place of them. */
  readonly encoded?: EncodedRows | undefined
}

/** Rows as they went into a COPY. */
export interface EncodedRows {
  readonly format: 'binary' | 'text'
  /** As `CopyIn` takes them. */
  readonly pieces: readonly Buffer[]
  readonly count: number
}

/**
 * Lets go of a batch's items, where another attempt is all that may still be wanted of them: a quarter of the memory,
 * and objects that do not live long enough to become work for the garbage collector's slow part.
 * @returns the group, as the next attempt will find it
 */
export function holdBytesOnly({ batch, shape, indexes }: RowGroup, encoded: EncodedRows): RowGroup {
  const group = { batch, shape, rows: [], indexes, encoded }
  batch.items = []
  batch.prepared = { ...batch.prepared!, groups: [group] }
  return group
}

/** Index into the batch's items of the `index`th row of a group. */
export function itemIndex(group: RowGroup, index: number): number {
  return group.indexes ? group.indexes[index]! : index
}

/** Place of an item in the array that was written. */
export function placeOfItem(batch: Batch<unknown>, index: number): number {
  return batch.places ? batch.places[index]! : index
}

/** Place in the array that was written of the `index`th row of a group. */
export function placeOf(group: RowGroup, index: number): number {
  return placeOfItem(group.batch, itemIndex(group, index))
}

/** The rows of a group whose items are wanted. */
export function filterGroup(group: RowGroup, wanted: (itemIndex: number) => boolean): RowGroup {
  const kept = range(0, group.rows.length).filter(index => wanted(itemIndex(group, index)))
  if (kept.length === group.rows.length) return group
  return {
    ...group,
    rows: kept.map(index => group.rows[index]!),
    indexes: kept.map(index => itemIndex(group, index)),
  }
}

/** The rows of several groups in the order of the array again, cut wherever the shape changes. */
export function runsInOrder(groups: readonly RowGroup[]): RowGroup[] {
  const rows = groups
    .flatMap(group =>
      group.rows.map((row, index) => ({ row, index: itemIndex(group, index), shape: group.shape })),
    )
    .sort((a, b) => a.index - b.index)
  const runs: { batch: Batch<unknown>; shape: RowShape; rows: object[]; indexes: number[] }[] = []
  for (const { row, index, shape } of rows) {
    let run = runs.at(-1)
    if (run?.shape !== shape) {
      run = { batch: groups[0]!.batch, shape, rows: [], indexes: [] }
      runs.push(run)
    }
    run.rows.push(row)
    run.indexes.push(index)
  }
  return runs
}

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

/** Rows, and the indexes of their items where those are not the same. */
interface Rows {
  rows: readonly object[]
  indexes: readonly number[] | undefined
}

function checkItems<Item>(batch: Batch<Item>, invalid: InvalidItem[]): Rows {
  if (batch.items.every(isRow)) return { rows: batch.items as readonly object[], indexes: undefined }
  return collect(batch.count, invalid, index => {
    const item: unknown = batch.items[index]
    if (isRow(item)) return item
    throw invalidRow(batch, index, `is ${describe(item)}`)
  })
}

function mapItems<Item>(batch: Batch<Item>, toRow: (item: Item) => unknown, invalid: InvalidItem[]): Rows {
  return collect(batch.count, invalid, index => {
    const row = callToRow(batch, index, toRow)
    if (row === null || row === undefined) return undefined
    if (row instanceof Promise) {
      row.catch(() => {}) // nobody else waits for it
      throw invalidRow(batch, index, 'became a Promise: `toRow` has to be synchronous')
    }
    if (isRow(row)) return row
    throw invalidRow(batch, index, `became ${describe(row)} by \`toRow\``)
  })
}

/** Collects what `make` returns, and lists what it throws. */
function collect(count: number, invalid: InvalidItem[], make: (index: number) => object | undefined): Rows {
  const rows: object[] = []
  const indexes: number[] = []
  for (let index = 0; index < count; index++) {
    try {
      const row = make(index)
      if (row === undefined) continue
      rows.push(row)
      indexes.push(index)
    } catch (error) {
      invalid.push({ index, error: error as PgBatchError })
    }
  }
  return { rows, indexes: rows.length < count ? indexes : undefined }
}

function isRow(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function callToRow<Item>(batch: Batch<Item>, index: number, toRow: (item: Item) => unknown): unknown {
  try {
    return toRow(batch.items[index] as Item)
  } catch (cause) {
    const rowIndex = placeOfItem(batch, index)
    if (cause instanceof ValueError) {
      const message = `${cause.message} [row ${rowIndex}, batch ${batch.id}]`
      const details = {
        outcome: 'not-sent',
        batchId: batch.id,
        rowIndex,
        column: cause.column,
        cause,
      } as const
      throw new PgBatchError('VALUE_NOT_ENCODABLE', message, details)
    }
    if (cause instanceof PgBatchError && cause.code === 'ROW_INVALID') throw placed(cause, batch, rowIndex)
    throw new PgBatchError('CALLBACK_FAILED', `\`toRow\` threw for row ${rowIndex} of batch ${batch.id}`, {
      outcome: 'not-sent',
      batchId: batch.id,
      rowIndex,
      cause,
    })
  }
}

/** What `toRow` itself says of an item that is to be rejected, with its place. */
function placed(
  { message, column, cause }: PgBatchError,
  batch: Batch<unknown>,
  rowIndex: number,
): PgBatchError {
  const text = `${message} [row ${rowIndex}, batch ${batch.id}]`
  return new PgBatchError('ROW_INVALID', text, {
    outcome: 'not-sent',
    batchId: batch.id,
    rowIndex,
    column,
    cause,
  })
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`
}

function invalidRow(batch: Batch<unknown>, index: number, what: string): PgBatchError {
  const rowIndex = placeOfItem(batch, index)
  return new PgBatchError(
    'ROW_INVALID',
    `Expected an object with a key for each column, but row ${rowIndex} of batch ${batch.id} ${what}`,
    { outcome: 'not-sent', batchId: batch.id, rowIndex },
  )
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
  const rowIndex = placeOfItem(batch, index)
  const message = `Row ${rowIndex} of batch ${batch.id} has the key ${JSON.stringify(key)}, ${plan.whyNotColumn(key)}`
  return new PgBatchError('ROW_INVALID', message, {
    outcome: 'not-sent',
    batchId: batch.id,
    rowIndex,
    column: key,
  })
}

/** Asks what each row is for. A delete needs no more than the values of its key. */
function splitByOperation<Item>(
  { rows, indexes }: Rows,
  batch: Batch<Item>,
  plan: WritePlan<Item>,
  operation: (item: Item) => unknown,
  invalid: InvalidItem[],
): { upserts: Rows; deletes: RowGroup[] } {
  const upserts = { rows: [] as object[], indexes: [] as number[] }
  const deletes = { rows: [] as object[], indexes: [] as number[] }
  const keys = plan.deletes.columns.map(index => plan.columns[index]!)
  for (const [i, row] of rows.entries()) {
    const index = indexes ? indexes[i]! : i
    try {
      const isDelete = askOperation(operation, batch.items[index] as Item) === 'delete'
      const missing = isDelete ? missingKey(row, keys) : undefined
      if (missing) {
        invalid.push({ index, error: deleteWithoutKey(batch, index, missing) })
        continue
      }
      const group = isDelete ? deletes : upserts
      group.rows.push(row)
      group.indexes.push(index)
    } catch (error) {
      invalid.push({ index, error: operationFailed(batch, index, error as OperationError) })
    }
  }
  return {
    upserts:
      upserts.rows.length === batch.items.length ? { rows: upserts.rows, indexes: undefined } : upserts,
    deletes: deletes.rows.length > 0 ? [{ batch, shape: plan.deletes, ...deletes }] : [],
  }
}

function deleteWithoutKey(
  batch: Batch<unknown>,
  index: number,
  { column, cause }: { column: string; cause?: unknown },
): PgBatchError {
  const rowIndex = placeOfItem(batch, index)
  return new PgBatchError(
    'ROW_INVALID',
    `Row ${rowIndex} of batch ${batch.id} is to be deleted, but has no value for the key's column ${JSON.stringify(column)}`,
    { outcome: 'not-sent', batchId: batch.id, rowIndex, column, cause },
  )
}

function operationFailed(batch: Batch<unknown>, index: number, error: OperationError): PgBatchError {
  const rowIndex = placeOfItem(batch, index)
  return new PgBatchError(
    'CALLBACK_FAILED',
    `\`operation\` ${error.message} for row ${rowIndex} of batch ${batch.id}`,
    { outcome: 'not-sent', batchId: batch.id, rowIndex, cause: error.cause },
  )
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
      const rowIndex = placeOfItem(batch, index)
      const { name } = plan.columns[column]!
      const message = `Column ${JSON.stringify(name)} of row ${rowIndex} of batch ${batch.id} could not be read`
      const details = { outcome: 'not-sent', batchId: batch.id, rowIndex, column: name, cause } as const
      throw new PgBatchError('ROW_INVALID', message, details)
    }
  }
  return missing
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}
