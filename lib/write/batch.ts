import { PgBatchError } from '../errors.ts'
import type { WritePlan } from './plan.ts'

/** One array that was written to the stream, or the part of it that belongs to one lane. */
export interface Batch<Item> {
  /** The number of the array, from 1, in the order of writing. */
  readonly id: number
  readonly items: readonly Item[]
  /** Places of `items` in the array, where they are only a part of it. */
  readonly places?: readonly number[] | undefined
  /** What `prepareBatch` made of the items, kept so that `toRow` runs once for each. */
  prepared?: PreparedBatch
}

/** The rows of a batch, checked against the table. */
export interface PreparedBatch {
  readonly groups: readonly RowGroup[]
  readonly rowCount: number
  readonly skippedCount: number
}

/** The rows of one batch that have values for the same set of columns, in their order. */
export interface RowGroup {
  readonly batchId: number
  readonly shape: RowShape
  readonly rows: readonly object[]
  /** Places of `rows` in the array that was written; undefined: the same. */
  readonly places: readonly number[] | undefined
}

/** The columns that are written for a row: all but those that are missing in it and have a DEFAULT. */
export interface RowShape {
  readonly number: number
  /** Indexes into the plan's columns. */
  readonly columns: readonly number[]
}

/** The place in its array of the `index`th row of a group. */
export function placeOf(group: RowGroup, index: number): number {
  return group.places ? group.places[index]! : index
}

/**
 * Makes rows of a batch's items, checks their keys, and groups them by shape. A missing key or `undefined` makes a
 * shape of its own only where the column has a DEFAULT; elsewhere it is the same as null.
 * @throws PgBatchError naming the row, before anything is sent
 */
export function prepareBatch<Item>(batch: Batch<Item>, plan: WritePlan<Item>): PreparedBatch {
  if (batch.prepared) return batch.prepared
  const { rows, places } = plan.toRow ? mapItems(batch, plan.toRow) : checkedItems(batch)
  checkKeys(rows, places, batch, plan)
  batch.prepared = {
    groups: groupByShape(rows, places, batch.id, plan),
    rowCount: rows.length,
    skippedCount: batch.items.length - rows.length,
  }
  return batch.prepared
}

interface PlacedRows {
  rows: readonly object[]
  places: readonly number[] | undefined
}

function checkedItems<Item>(batch: Batch<Item>): PlacedRows {
  const { items, places } = batch
  for (let i = 0; i < items.length; i++) {
    const item: unknown = items[i]
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      throw invalidRow(batch, i, `is ${describe(item)}`)
    }
  }
  return { rows: items as readonly object[], places }
}

function mapItems<Item>(batch: Batch<Item>, toRow: (item: Item) => unknown): PlacedRows {
  const rows: object[] = []
  const places: number[] = []
  for (let i = 0; i < batch.items.length; i++) {
    let row: unknown
    try {
      row = toRow(batch.items[i] as Item)
    } catch (cause) {
      throw new PgBatchError(
        'CALLBACK_FAILED',
        `\`toRow\` threw for row ${placeIn(batch, i)} of batch ${batch.id}`,
        {
          outcome: 'not-sent',
          batchId: batch.id,
          rowIndex: placeIn(batch, i),
          cause,
        },
      )
    }
    if (row === null || row === undefined) continue
    if (typeof row !== 'object' || Array.isArray(row))
      throw invalidRow(batch, i, `became ${describe(row)} by \`toRow\``)
    if (row instanceof Promise) throw invalidRow(batch, i, 'became a Promise: `toRow` has to be synchronous')
    rows.push(row)
    places.push(placeIn(batch, i))
  }
  const whole = rows.length === batch.items.length && !batch.places
  return { rows, places: whole ? undefined : places }
}

function placeIn<Item>(batch: Batch<Item>, index: number): number {
  return batch.places ? batch.places[index]! : index
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`
}

function invalidRow<Item>(batch: Batch<Item>, index: number, what: string): PgBatchError {
  const rowIndex = placeIn(batch, index)
  return new PgBatchError(
    'ROW_INVALID',
    `Expected an object with a key for each column, but row ${rowIndex} of batch ${batch.id} ${what}`,
    {
      outcome: 'not-sent',
      batchId: batch.id,
      rowIndex,
    },
  )
}

function checkKeys<Item>(
  rows: readonly object[],
  places: readonly number[] | undefined,
  batch: Batch<Item>,
  plan: WritePlan<Item>,
): void {
  if (plan.unknownKeys === 'ignore') return
  // rows of one source list their keys in one order: comparing with the last good row beats a look-up for each key
  let expected: string[] = []
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as Record<string, unknown>
    let matched = 0
    let same = true
    for (const key in row) {
      if (key === expected[matched]) matched++
      else {
        same = false
        break
      }
    }
    if (same) continue
    expected = []
    for (const key in row) {
      if (plan.columnNames.has(key)) expected.push(key)
      else if (row[key] !== undefined) {
        const rowIndex = places ? places[i]! : i
        throw new PgBatchError(
          'ROW_INVALID',
          `Row ${rowIndex} of batch ${batch.id} has the key ${JSON.stringify(key)}, ${plan.whyNotColumn(key)}`,
          {
            outcome: 'not-sent',
            batchId: batch.id,
            rowIndex,
            column: key,
          },
        )
      }
    }
  }
}

function groupByShape<Item>(
  rows: readonly object[],
  places: readonly number[] | undefined,
  batchId: number,
  plan: WritePlan<Item>,
): RowGroup[] {
  if (rows.length === 0) return []
  const { defaulted } = plan
  if (defaulted.length === 0) return [{ batchId, shape: plan.shapeWithout(''), rows, places }]
  const groups = new Map<string, { rows: object[]; places: number[] }>()
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    let missing = ''
    for (let d = 0; d < defaulted.length; d++) {
      if (plan.valueOf(row, defaulted[d]!) === undefined) missing += `${defaulted[d]},`
    }
    let group = groups.get(missing)
    if (!group) {
      group = { rows: [], places: [] }
      groups.set(missing, group)
    }
    group.rows.push(row)
    group.places.push(places ? places[i]! : i)
  }
  if (groups.size === 1)
    return [{ batchId, shape: plan.shapeWithout(groups.keys().next().value!), rows, places }]
  return [...groups].map(([missing, group]) => ({ batchId, shape: plan.shapeWithout(missing), ...group }))
}

/** The rows of several groups in the order of the array again, cut wherever the shape changes. */
export function runsInOrder(groups: readonly RowGroup[]): RowGroup[] {
  const rows = groups
    .flatMap(group =>
      group.rows.map((row, index) => ({ row, place: placeOf(group, index), shape: group.shape })),
    )
    .sort((a, b) => a.place - b.place)
  const runs: { batchId: number; shape: RowShape; rows: object[]; places: number[] }[] = []
  for (const { row, place, shape } of rows) {
    let run = runs.at(-1)
    if (run?.shape !== shape) {
      run = { batchId: groups[0]!.batchId, shape, rows: [], places: [] }
      runs.push(run)
    }
    run.rows.push(row)
    run.places.push(place)
  }
  return runs
}
