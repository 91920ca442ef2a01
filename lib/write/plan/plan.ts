import { objectOf } from '../../encode/row-encoder.ts'
import { whyNoNewColumn } from '../../table/alter-table.ts'
import { keepIdentity } from '../../table/insertable.ts'
import type { Conflict } from '../../table/merge/conflict.ts'
import type { Table } from '../../types.ts'
import { bytesColumns } from './decode-bytes.ts'
import { expectAlterable } from './evolve-policy.ts'
import { type PlannedColumn, whyNotColumn } from './planned-columns.ts'
import { planTable, type TablePlan } from './table-plan.ts'
import { makeRecordTexts, makeRowTexts, type RowTexts } from './texts/row-texts.ts'
import type { WriteRequest } from './write-request.ts'

/** A table plan, and how items become rows of the table. */
export interface WritePlan<Item> extends TablePlan {
  readonly toRow: ((item: Item) => unknown) | undefined
  readonly operation: ((item: Item) => unknown) | undefined
  readonly unknownKeys: 'error' | 'ignore'
  /** The user has named the columns, so that no other is written. */
  readonly namesColumns: boolean
  /** The bytea columns, whose values are text in change events. */
  readonly bytesColumns: readonly string[]
  /** Rows are records of a file with a header, which was matched with columns before. */
  readonly takesRecords: boolean
  /**
   * Writing a batch twice leaves the same as once: it is an upsert, and no value of a key is NULL or missing.
   */
  readonly idempotent: boolean
  /** Returns a row as texts, for the dead letter. Never throws. */
  readonly textsOf: (row: object) => RowTexts
  /** Returns the end of the sentence `The row has the key "x", …`. */
  readonly whyNotColumn: (key: string) => string
  /** Set where unknown keys become columns. Returns why a key cannot become one, or undefined. */
  readonly whyNoNewColumn: ((key: string) => string | undefined) | undefined
}

/**
 * Joins a request with what the catalogue says about its table.
 * @param known undefined where there is no catalogue (pg-mem): then `columns` are not checked
 * @param isPostgres false for a server that only speaks PostgreSQL's protocol
 * @throws PgBatchError for columns, a conflict target or a method that the table does not have
 */
export function makePlan<Item>(
  request: WriteRequest<Item>,
  known: Table | undefined,
  isPostgres: boolean,
): WritePlan<Item> {
  const table = known && request.identity === 'keep' ? keepIdentity(known) : known
  if (request.evolve) expectAlterable(table)
  const tablePlan = planTable(request, table, isPostgres)
  const { columns, conflict, table: name } = tablePlan
  const { toRow, operation, unknownKeys, csv, json, blocks, evolve } = request
  const textsOf = csv ? makeRecordTexts(csv) : makeRowTexts(columns, unknownKeys === 'error')
  return {
    ...tablePlan,
    toRow,
    operation,
    unknownKeys,
    namesColumns: request.columns !== undefined,
    bytesColumns: bytesColumns(columns),
    takesRecords: csv !== undefined || blocks !== undefined,
    idempotent: conflict !== undefined && isIdempotent(conflict, columns),
    textsOf: row => textsOf(objectOf(row, json)),
    whyNotColumn: rememberLast(key => whyNotColumn(key, name, request, table)),
    whyNoNewColumn: evolve?.addColumns ? key => whyNoNewColumn(key, table?.columns ?? []) : undefined,
  }
}

/** Keeps the last result: the rows of a source mostly have the same unknown key. */
function rememberLast(explain: (key: string) => string): (key: string) => string {
  let last: { readonly key: string; readonly why: string } | undefined
  return key => {
    if (last?.key !== key) last = { key, why: explain(key) }
    return last.why
  }
}

/** Returns true if a second write of the same rows changes nothing. */
function isIdempotent(conflict: Conflict, columns: readonly PlannedColumn[]): boolean {
  const { keys, computed, newerBy, where } = conflict
  if (computed.length > 0 || newerBy !== undefined || where !== undefined) return false
  const keyColumns = columns.filter(column => keys.includes(column.name))
  return (
    keyColumns.length > 0 &&
    keyColumns.every(({ known }) => known?.column.notNull && !known.column.hasDefault)
  )
}
