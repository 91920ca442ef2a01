import type { CsvColumns } from '../../csv/record.ts'
import { canBeBinary, makeRowEncoder, type RowEncoder } from '../../encode/row-encoder.ts'
import { PgBatchError } from '../../errors.ts'
import { copyObstacleOf } from '../../table/copy-obstacle.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import {
  MAX_TABLE_COLUMNS,
  type Merge,
  type MergeColumn,
  type MergeShape,
  mergeNames,
} from '../../table/merge/merge.ts'
import { type Conflict, sameTypesStatement } from '../../table/statements.ts'
import type { Column, CopyFormat, Method, PgType, SelfReference, Table } from '../../types.ts'
import { type RowShape, RowShapes } from '../rows/row-shapes.ts'
import { resolveConflict } from './conflict.ts'
import { CopyFormatChoice } from './copy-format.ts'
import { bytesColumns } from './decode-bytes.ts'
import { notFound, type PlannedColumn, plannedColumns, whyNotColumn } from './planned-columns.ts'
import { makeRecordTexts, makeRowTexts, type RowTexts } from './row-texts.ts'
import type { WriteRequest } from './write-request.ts'

/** A request and a table, made into what the rows of every batch are sent by. */
export interface TablePlan {
  readonly table: TableParts
  readonly columns: readonly PlannedColumn[]
  readonly columnNames: ReadonlySet<string>
  readonly shapes: RowShapes
  readonly method: Method
  readonly copyFormat: CopyFormat
  /** Citus keeps the table's rows. */
  readonly isCitus: boolean
  /** Rows are records of a CSV file, whose fields go to these columns. */
  readonly csv: CsvColumns | undefined
  /** Which format of COPY suits the values that have come so far. */
  readonly format: CopyFormatChoice
  readonly conflict: Conflict | undefined
  /** How upserts are merged; undefined for plain rows, and where there is no catalogue. */
  readonly merge: Merge | undefined
  /** Foreign keys of the table to itself, as far as all their columns are written. */
  readonly selfReferences: readonly SelfReference[]
  readonly mergeShape: (shape: RowShape) => MergeShape
  /** The encoder of a shape's rows; the latest are kept. */
  readonly encoderFor: (shape: RowShape, format: 'binary' | 'text', staging: boolean) => RowEncoder
  /** The statement that asks whether the columns of a shape still have their types. */
  readonly sameTypes: (shape: RowShape) => string
}

/** The same, and how items become rows. */
export interface WritePlan<Item> extends TablePlan {
  readonly toRow: ((item: Item) => unknown) | undefined
  readonly operation: ((item: Item) => unknown) | undefined
  readonly unknownKeys: 'error' | 'ignore'
  /** The user has named the columns, so that no other will be written. */
  readonly namesColumns: boolean
  /** Columns of bytes, which change events bring as text. */
  readonly bytesColumns: readonly string[]
  /** Rows are records of a CSV file, whose fields are known to be columns. */
  readonly takesRecords: boolean
  /** Indexes of the columns where a missing value is something else than NULL: a DEFAULT, or what is stored. */
  readonly defaulted: readonly number[]
  /**
   * Writing a batch twice leaves what writing it once does: it is an upsert, and every row brings a key of its own
   * that is not NULL.
   */
  readonly idempotent: boolean
  /** Several batches may share a transaction and its one merge. */
  readonly mayGroup: boolean
  /** A row as texts, for the dead letter. Never throws. */
  readonly textsOf: (row: object) => RowTexts
  /** Ends the sentence `The row has the key "x", …`. */
  readonly whyNotColumn: (key: string) => string
}

/**
 * Joins a request with what the catalogue says of its table.
 * @param table undefined where there is no catalogue to ask (pg-mem): then `columns` are believed
 * @param isPostgres false for a server that only speaks its protocol
 * @throws PgBatchError for columns, a conflict target or a method that the table does not have
 */
export function makePlan<Item>(
  request: WriteRequest<Item>,
  table: Table | undefined,
  isPostgres: boolean,
): WritePlan<Item> {
  const name = table ? { schema: table.schema, name: table.name } : request.table
  const columns = plannedColumns(request, table)
  const names = columns.map(column => column.name)
  const method = chooseMethod(request, table, columns)
  const conflict =
    request.onConflict && resolveConflict(request.onConflict, names, table, request.operation !== undefined)
  const { toRow, operation, unknownKeys, csv } = request
  const isCitus = table?.isCitus === true
  // Citus 13.2.2 has refused binary rows that came by way of a staging table (22P02)
  const wantedFormat = isCitus && conflict && request.copyFormat === 'auto' ? 'text' : request.copyFormat
  const copyFormat = method === 'insert' ? 'text' : chooseFormat(wantedFormat, columns)
  return {
    table: name,
    columns,
    columnNames: new Set(names),
    shapes: new RowShapes(
      names,
      names.filter(column => conflict?.keys.includes(column)),
    ),
    method,
    copyFormat,
    isCitus,
    csv,
    format: new CopyFormatChoice(copyFormat),
    conflict,
    merge: conflict && table && mergeInto(name, columns, conflict, isPostgres && !isCitus),
    selfReferences: (table?.selfReferences ?? []).filter(({ columns, references }) =>
      [...columns, ...references].every(column => names.includes(column)),
    ),
    mergeShape: ({ columns, ...shape }) => ({ ...shape, columns: columns.map(index => names[index]!) }),
    encoderFor: encoders(columns, csv),
    sameTypes: shape => sameTypesStatement(name, knownOf(shape, columns)),
    toRow,
    operation,
    unknownKeys,
    namesColumns: request.columns !== undefined,
    bytesColumns: bytesColumns(columns),
    takesRecords: csv !== undefined,
    // a record has a field for each column
    defaulted: csv
      ? []
      : columns.flatMap(({ name, known }, index) =>
          known?.column.hasDefault || keepsMissing(name, conflict) ? [index] : [],
        ),
    idempotent: conflict !== undefined && hasFirmKeys(conflict, columns),
    mayGroup: mergesAlike(request, conflict, names, table),
    textsOf: csv ? makeRecordTexts(csv) : makeRowTexts(columns, unknownKeys === 'error'),
    whyNotColumn: key => whyNotColumn(key, name, request, table),
  }
}

/** An encoder is compiled code; rows of more shapes than this go by INSERT, or share a staging table. */
const MAX_ENCODERS = 100

function encoders(columns: readonly PlannedColumn[], csv: CsvColumns | undefined): TablePlan['encoderFor'] {
  const made = new Map<string, RowEncoder>()
  return (shape, format, staging) => {
    const key = `${shape.number} ${format} ${staging}`
    let encoder = made.get(key)
    if (!encoder) {
      encoder = makeRowEncoder({
        columns: knownOf(shape, columns),
        format,
        ...(staging ? { staging: { shape: shape.number } } : {}),
        csv,
      })
      if (made.size >= MAX_ENCODERS) made.clear()
      made.set(key, encoder)
    }
    return encoder
  }
}

function knownOf(shape: RowShape, columns: readonly PlannedColumn[]): Column[] {
  return shape.columns.map(index => columns[index]!.known!.column)
}

function mergeInto(
  table: TableParts,
  columns: readonly PlannedColumn[],
  conflict: Conflict,
  writesTwice: boolean,
): Merge {
  return {
    table,
    columns: columns.map(({ known }) => mergeColumn(known!.column)),
    conflict,
    names: mergeNames(columns.map(({ name }) => name)),
    writesTwice,
    numbered: columns.length + 2 <= MAX_TABLE_COLUMNS,
  }
}

function mergeColumn({ name, type, sqlType, collation }: Column): MergeColumn {
  return { name, baseType: type.sqlName, sqlType, collation, truncated: isTruncated(type) }
}

const TRUNCATED = ['varchar', 'bpchar', 'bit', 'varbit']

function isTruncated({ base, element, builtIn, name }: PgType): boolean {
  const inner = base ?? element
  return inner ? isTruncated(inner) : builtIn && TRUNCATED.includes(name)
}

function hasFirmKeys({ keys }: Conflict, columns: readonly PlannedColumn[]): boolean {
  const keyColumns = columns.filter(column => keys.includes(column.name))
  return (
    keyColumns.length > 0 &&
    keyColumns.every(({ known }) => known?.column.notNull && !known.column.hasDefault)
  )
}

/**
 * Whether one merge for several batches leaves what a merge of each one does. It does not where an update sets only some
 * of the columns, nor where a delete and an insert set anew what is not written.
 */
function mergesAlike<Item>(
  { operation }: WriteRequest<Item>,
  conflict: Conflict | undefined,
  columns: readonly string[],
  table: Table | undefined,
): boolean {
  if (conflict?.action !== 'update') return true
  if (!columns.every(column => isKeyOrUpdated(column, conflict))) return false
  return !operation || !table?.columns.some(column => isLeftAlone(column, columns))
}

/** An upsert leaves the column of a stored row as it is where the row brings no value. */
function keepsMissing(column: string, conflict: Conflict | undefined): boolean {
  return conflict?.action === 'update' && conflict.update.includes(column)
}

function isKeyOrUpdated(column: string, { keys, update }: Conflict): boolean {
  return keys.includes(column) || update.includes(column)
}

/** What an update leaves as it is, and a delete and an insert do not. */
function isLeftAlone({ name, generated }: Column, written: readonly string[]): boolean {
  return !generated && !written.includes(name)
}

function chooseMethod<Item>(
  request: WriteRequest<Item>,
  table: Table | undefined,
  columns: readonly PlannedColumn[],
): Method {
  if (!table || columns.length === 0) return 'insert'
  if (request.method === 'insert') return 'insert'
  const obstacle = copyObstacleOf(table, request.onConflict !== undefined)
  if (request.method === 'auto' && (obstacle || columns.some(isRestrictedInterval))) return 'insert'
  if (!obstacle) return request.method
  const reason = `${quoteTable(table)} cannot be written by COPY (${obstacle}): use \`method: 'auto'\` or 'insert'`
  throw new PgBatchError('REFUSED', reason, { outcome: 'not-sent' })
}

/**
 * A column of `interval minute to second`, say. By COPY '04:05' is minutes and seconds there, and as the parameter of an
 * INSERT hours and minutes, since a parameter's type has no fields: `auto` takes the way that stores what `pg` does.
 */
function isRestrictedInterval({ known }: PlannedColumn): boolean {
  return known !== undefined && /^interval [a-z]/.test(known.column.sqlType)
}

function chooseFormat(format: CopyFormat, columns: readonly PlannedColumn[]): CopyFormat {
  const binary = canBeBinary(columns.map(column => column.known!.column))
  if (binary || format === 'text') return format
  if (format === 'auto') return 'text'
  const without = columns.find(column => !column.known!.codec.binary)!
  throw notFound(
    `Column ${JSON.stringify(without.name)} of type ${without.known!.column.type.sqlName} has no binary form here: use \`copyFormat: 'auto'\` or 'text'`,
    without.name,
  )
}
