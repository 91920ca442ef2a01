import { PgBatchError } from '../../errors.ts'
import { LineTable } from '../../json/line-table.ts'
import { type BlockLines, JsonRecord } from '../../json/record.ts'
import { decodeBytes } from '../plan/decode-bytes.ts'
import type { WritePlan } from '../plan/plan.ts'
import {
  type Batch,
  type InvalidItem,
  isBytesOnly,
  type MadeRows,
  type PreparedBatch,
  type RowGroup,
  unsent,
} from '../rows/batch.ts'
import { checkItems, invalidRow, isBuiltIn, mapItems, parserHint, unreadableKeys } from '../rows/make-rows.ts'
import type { RowSet } from '../rows/row-set.ts'
import { convertHeld } from './convert-held.ts'
import { allStartAs, hasValues, missingInAll, startsAs } from './like-first.ts'
import { splitByOperation } from './split-by-operation.ts'

/**
 * Makes rows of the items of a batch, checks their keys, and groups them by shape. A missing key or
 * `undefined` counts for the shape only where the column has a DEFAULT; elsewhere it is the same as null.
 * Items that are not rows are listed with their errors.
 */
export function prepareBatch<Item>(batch: Batch<Item>, plan: WritePlan<Item>): PreparedBatch {
  if (batch.prepared?.plan === plan) return batch.prepared
  if (isBytesOnly(batch)) {
    // bytes that do not suit this plan can only be written by their own
    batch.prepared = convertHeld(batch.prepared!, plan) ?? batch.prepared!
    return batch.prepared
  }
  batch.made ??= makeRows(batch, plan)
  const invalid = [...batch.made.invalid]
  const { rows } = batch.made
  const checked = plan.takesRecords ? rows : checkKeys(rows, batch, plan, invalid)
  const known = decodeBytes(checked, batch, plan.bytesColumns, invalid)
  const skipped = batch.count - known.length - invalid.length
  const { upserts, deletes } = plan.operation
    ? splitByOperation(known, batch, plan, plan.operation, invalid)
    : { upserts: known, deletes: [] }
  const groups = [...groupByShape(upserts, batch, plan, invalid), ...deletes]
  batch.prepared = { plan, skipped, groups, invalid }
  return batch.prepared
}

function makeRows<Item>(batch: Batch<Item>, { toRow }: WritePlan<Item>): MadeRows {
  const invalid: InvalidItem[] = []
  const areRows = !toRow || batch.table instanceof LineTable
  const rows = areRows ? checkItems(batch, invalid) : mapItems(batch, toRow, invalid)
  return { rows, invalid }
}

/** Returns true when a row was refused for an unknown key, which may be a column by now. */
export function hasUnknownKey<Item>(prepared: PreparedBatch, plan: WritePlan<Item>): boolean {
  return rowsWithUnknownKeys(prepared, plan).length > 0
}

/** Returns the rows that were refused for an unknown key. */
export function rowsWithUnknownKeys<Item>({ invalid }: PreparedBatch, plan: WritePlan<Item>): object[] {
  if (plan.namesColumns || invalid.length === 0) return []
  return invalid.flatMap(({ row, error: { code, column } }) =>
    row && code === 'ROW_INVALID' && column !== undefined && !plan.columnNames.has(column) ? [row] : [],
  )
}

/**
 * Returns the keys of a row that are not columns and have a value. Only the row's own keys can be unknown:
 * what another library adds to the prototype of every object is not a value of the row. Where keys become
 * columns, null is no value: the row has NULL in a column that comes later, either way.
 */
export function* unknownKeys<Item>(row: object, plan: WritePlan<Item>): Generator<string> {
  for (const key in row) {
    if (!plan.columnNames.has(key) && Object.hasOwn(row, key) && hasValue(row, key, plan)) yield key
  }
}

function hasValue<Item>(row: object, key: string, { whyNoNewColumn }: WritePlan<Item>): boolean {
  const value = (row as Record<string, unknown>)[key]
  return value !== undefined && !(value === null && whyNoNewColumn)
}

/**
 * Returns the rows whose keys are columns, and lists the others as invalid: also objects that cannot be rows.
 */
function checkKeys<Item>(
  rows: RowSet,
  batch: Batch<Item>,
  plan: WritePlan<Item>,
  invalid: InvalidItem[],
): RowSet {
  if (linesOf(rows)?.every(lines => plan.recordKeys!.fits(lines))) return rows
  if (!plan.recordKeys && rows.length > 0 && allStartAs(rows, keysOfFirst(rows, plan))) return rows
  // comparing with the last good row is faster than looking up each key
  let expected: readonly string[] = []
  return rows.filter((row, index) => {
    try {
      if (row instanceof JsonRecord ? plan.recordKeys!.fits(row.lines) : startsAs(row, expected)) return true
      const { columns, unknownKey } = keysOf(plan.objectOf(row), plan)
      expected = columns
      if (columns.length === 0 && isBuiltIn(row)) throw notARow(batch, index, row)
      if (unknownKey !== undefined) throw unknownKeyError(batch, index, unknownKey, plan.objectOf(row), plan)
      return true
    } catch (error) {
      invalid.push({
        index,
        row,
        error: error instanceof PgBatchError ? error : unreadableKeys(batch, index, error),
      })
      return false
    }
  })
}

/** Returns the lines of NDJSON that rows are, where they have not become objects. */
function linesOf({ table }: RowSet): readonly BlockLines[] | undefined {
  return table instanceof LineTable ? table.inBlocks() : undefined
}

/** Returns the keys of the first row; none if one of them is unknown, or cannot be read. */
function keysOfFirst<Item>(rows: RowSet, plan: WritePlan<Item>): readonly string[] {
  try {
    const { columns, unknownKey } = keysOf(rows.at(0), plan)
    return unknownKey === undefined ? columns : []
  } catch {
    return []
  }
}

/** Returns the keys of a row, up to the first unknown one that is not ignored, see `unknownKeys`. */
function keysOf<Item>(row: object, plan: WritePlan<Item>): { columns: string[]; unknownKey?: string } {
  const columns: string[] = []
  for (const key in row) {
    const isColumn = plan.columnNames.has(key)
    if (!isColumn && !Object.hasOwn(row, key)) continue
    if (!isColumn && plan.unknownKeys === 'error') {
      if (hasValue(row, key, plan)) return { columns, unknownKey: key }
      continue // another row may have a value for it
    }
    columns.push(key)
  }
  return { columns }
}

/** Returns the key that a row is refused for: the first one that cannot become a column, else the first. */
function blamedKey<Item>(row: object, first: string, plan: WritePlan<Item>): string {
  const { whyNoNewColumn } = plan
  if (!whyNoNewColumn) return first
  for (const key of unknownKeys(row, plan)) if (whyNoNewColumn(key) !== undefined) return key
  return first
}

/** Returns the first two unknown keys that differ only in case, where each alone could become a column. */
function alikeKeys<Item>(row: object, plan: WritePlan<Item>): [string, string] | undefined {
  const keyOf = new Map<string, string>()
  for (const key of plan.whyNoNewColumn ? unknownKeys(row, plan) : []) {
    const lower = key.toLowerCase()
    const other = keyOf.get(lower)
    if (other !== undefined) return [other, key]
    keyOf.set(lower, key)
  }
  return undefined
}

function notARow(batch: Batch<unknown>, index: number, row: object): PgBatchError {
  return invalidRow(batch, index, `is a ${row.constructor.name}${parserHint(row)}`)
}

function unknownKeyError<Item>(
  batch: Batch<Item>,
  index: number,
  first: string,
  row: object,
  plan: WritePlan<Item>,
): PgBatchError {
  const key = blamedKey(row, first, plan)
  const alike = plan.whyNoNewColumn?.(key) === undefined ? alikeKeys(row, plan) : undefined
  const reason = alike
    ? `The row has the keys ${alike.map(shownKey).join(' and ')}, which differ only in case: ` +
      'they cannot both be columns'
    : `The row has the key ${shownKey(key)}, ${plan.whyNotColumn(key)}`
  return new PgBatchError('ROW_INVALID', reason, { ...unsent(batch, index), column: alike?.[1] ?? key })
}

function groupByShape<Item>(
  rows: RowSet,
  batch: Batch<Item>,
  plan: WritePlan<Item>,
  invalid: InvalidItem[],
): RowGroup[] {
  if (rows.length === 0) return []
  if (plan.defaulted.length === 0) return [{ batch, shape: plan.shapes.whole, rows }]
  const [missing, ...others] = new Set(linesOf(rows)?.map(lines => plan.recordKeys!.missingIn(lines)))
  if (missing !== undefined && others.length === 0) {
    return [{ batch, shape: plan.shapes.without(missing), rows }]
  }
  const missingAlways = plan.recordKeys ? undefined : missingInAll(rows, plan)
  if (missingAlways !== undefined) return [{ batch, shape: plan.shapes.without(missingAlways), rows }]
  // the keys of a row that lacks nothing: most rows have the same, and then no column needs to be looked at
  let whole: readonly string[] = []
  const groups = rows.groupBy((row, index) => {
    try {
      if (row instanceof JsonRecord) return plan.recordKeys!.missingIn(row.lines)
      const missing = hasValues(row, whole) ? '' : missingIn(row, batch, index, plan)
      if (missing === '' && whole.length === 0) whole = Object.keys(row)
      return missing
    } catch (error) {
      invalid.push({ index, row, error: error as PgBatchError })
      return undefined
    }
  })
  return [...groups].map(([missing, rows]) => ({ batch, shape: plan.shapes.without(missing), rows }))
}

/** Returns the columns that a row lacks and whose missing value is not NULL, as `'2,5,'`. */
function missingIn<Item>(row: object, batch: Batch<Item>, index: number, plan: WritePlan<Item>): string {
  let missing = ''
  for (const column of plan.defaulted) {
    try {
      if (plan.columns[column]!.read(row) === undefined) missing += `${column},`
    } catch (cause) {
      const { name } = plan.columns[column]!
      const reason = `Column ${JSON.stringify(name)} could not be read`
      throw new PgBatchError('ROW_INVALID', reason, { ...unsent(batch, index), column: name, cause })
    }
  }
  return missing
}

/** Shortens a long key: column names have at most 63 bytes, and a key may have megabytes. */
function shownKey(key: string): string {
  const shown =
    key.length <= 100 ? quoted(key) : `${quoted(`${key.slice(0, 100)}…`)} (${key.length} characters)`
  return key.startsWith(BYTE_ORDER_MARK) ? `${shown}, with the byte order mark of a file` : shown
}

const BYTE_ORDER_MARK = '\ufeff'

/** Quotes a key, and shows invisible characters as escapes. */
function quoted(key: string): string {
  const codeOf = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(key).replace(/[\u00a0\u200b-\u200f\u2060\ufeff]/g, codeOf)
}
