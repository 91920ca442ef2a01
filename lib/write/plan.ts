import type { CsvColumns } from '../csv/record.ts'
import type { Codec } from '../encode/codec.ts'
import { codecFor } from '../encode/codec-for.ts'
import { canBeBinary, makeRowEncoder, type RowEncoder } from '../encode/row-encoder.ts'
import { PgBatchError } from '../errors.ts'
import { copyObstacleOf } from '../table/copy-obstacle.ts'
import { quoteTable, type TableParts } from '../table/identifier.ts'
import { type Conflict, sameTypesStatement } from '../table/statements.ts'
import type { MergeColumn, MergeShape } from '../table/upsert.ts'
import type { Column, CopyFormat, Method, PgType, Table } from '../types.ts'
import { type ConflictOption, resolveConflict } from './conflict.ts'

/** What the user asked for, checked, its defaults in place. */
export interface WriteRequest<Item> {
  readonly table: TableParts
  readonly columns: readonly string[] | undefined
  readonly toRow: ((item: Item) => unknown) | undefined
  readonly unknownKeys: 'error' | 'ignore'
  readonly method: Method
  readonly copyFormat: CopyFormat
  readonly onConflict: ConflictOption | undefined
  /** The items are records of a CSV file, which always go by COPY. */
  readonly csv: CsvColumns | undefined
  readonly operation: ((item: Item) => unknown) | undefined
}

/** One column that is written. */
export interface PlannedColumn {
  readonly name: string
  readonly read: (row: object) => unknown
  /** Absent where no catalogue was to be had: values then go to the driver as they are. */
  readonly known?: { readonly column: Column; readonly codec: Codec }
}

/** The columns that are written for a row: all but those that are missing in it and have a DEFAULT. */
export interface RowShape {
  readonly number: number
  /** Indexes into the plan's columns. */
  readonly columns: readonly number[]
  /** Its rows are to be deleted, and its columns are those of their key. */
  readonly deletes?: boolean
}

/** A request and a table, made into what every batch is written by. */
export interface WritePlan<Item = unknown> {
  readonly table: TableParts
  readonly columns: readonly PlannedColumn[]
  readonly columnNames: ReadonlySet<string>
  /** Indexes of the columns where a missing value is something else than NULL. */
  readonly defaulted: readonly number[]
  readonly toRow: ((item: Item) => unknown) | undefined
  readonly operation: ((item: Item) => unknown) | undefined
  /** The shape of rows that are to be deleted. */
  readonly deletes: RowShape
  /** Each shape takes a statement of its own: only the table behind a view knows what a missing value gets. */
  readonly separatesShapes: boolean
  readonly unknownKeys: 'error' | 'ignore'
  /** Rows are records of a CSV file, whose fields are known to be columns. */
  readonly takesRecords: boolean
  readonly method: Method
  readonly copyFormat: CopyFormat
  readonly conflict: Conflict | undefined
  /**
   * Writing a batch twice leaves what writing it once does: it is an upsert, and every row brings a key of its own
   * that is not NULL.
   */
  readonly idempotent: boolean
  /** Several batches may share a transaction and its one merge. */
  readonly mayGroup: boolean
  readonly valueOf: (row: object, column: number) => unknown
  /** The shape that lacks the given columns, written as `'2,5,'`; the same object every time. */
  readonly shapeWithout: (missing: string) => RowShape
  /** The columns, as an upsert's merge knows them; empty where there is no catalogue. */
  readonly mergeColumns: readonly MergeColumn[]
  readonly mergeShape: (shape: RowShape) => MergeShape
  /** The encoder of a shape's rows; made once. */
  readonly encoderFor: (shape: RowShape, format: 'binary' | 'text', staging: boolean) => RowEncoder
  /** Asks whether the columns of a shape still have their types. */
  readonly sameTypes: (shape: RowShape) => string
  /** Ends the sentence `Row 3 has the key "x", …`. */
  readonly whyNotColumn: (key: string) => string
}

/** The number of the shape of deletes; others count from 0. */
const DELETES = -1

/**
 * Joins a request with what the catalogue says of its table.
 * @param table undefined where there is no catalogue to ask (pg-mem): then `columns` are believed
 * @throws PgBatchError for columns, a conflict target or a method that the table does not have
 */
export function makePlan<Item>(request: WriteRequest<Item>, table: Table | undefined): WritePlan<Item> {
  const name = table ? { schema: table.schema, name: table.name } : request.table
  const columns = table ? knownColumns(request, table) : request.columns!.map(unknownColumn)
  const method = chooseMethod(request, table, columns)
  const names = columns.map(column => column.name)
  const shapes = new Map<string, RowShape>()
  const encoders = new Map<string, RowEncoder>()
  const conflict =
    request.onConflict && resolveConflict(request.onConflict, names, table, request.operation !== undefined)
  return {
    table: name,
    columns,
    columnNames: new Set(names),
    // a record has a field for each column
    defaulted: request.csv
      ? []
      : columns.flatMap((column, index) => (column.known?.column.hasDefault ? [index] : [])),
    toRow: request.toRow,
    operation: request.operation,
    deletes: {
      number: DELETES,
      columns: [...names.keys()].filter(index => conflict?.keys.includes(names[index]!)),
      deletes: true,
    },
    separatesShapes: conflict !== undefined && table?.kind === 'view',
    unknownKeys: request.unknownKeys,
    takesRecords: request.csv !== undefined,
    method,
    copyFormat: method === 'insert' ? 'text' : chooseFormat(request.copyFormat, columns),
    conflict,
    idempotent: conflict !== undefined && hasFirmKeys(conflict, columns),
    // an update of some columns only, merged once for several batches, would not be what merging each one gives
    mayGroup:
      conflict?.action !== 'update' ||
      (names.every(column => isKeyOrUpdated(column, conflict)) &&
        !(request.operation && table?.columns.some(column => isLeftAlone(column, names)))),
    valueOf: (row, column) => columns[column]!.read(row),
    shapeWithout(missing) {
      let shape = shapes.get(missing)
      if (!shape) {
        const absent = new Set(missing.split(',').filter(Boolean).map(Number))
        shape = { number: shapes.size, columns: [...columns.keys()].filter(index => !absent.has(index)) }
        shapes.set(missing, shape)
      }
      return shape
    },
    mergeColumns: columns.flatMap(({ known }) => (known ? [mergeColumn(known.column)] : [])),
    mergeShape: ({ columns, ...shape }) => ({ ...shape, columns: columns.map(index => names[index]!) }),
    encoderFor(shape, format, staging) {
      const key = `${shape.number} ${format} ${staging}`
      let encoder = encoders.get(key)
      if (!encoder) {
        encoder = makeRowEncoder({
          columns: shape.columns.map(index => columns[index]!.known!.column),
          format,
          ...(staging ? { staging: { shape: shape.number } } : {}),
          csv: request.csv,
        })
        encoders.set(key, encoder)
      }
      return encoder
    },
    sameTypes: shape =>
      sameTypesStatement(
        name,
        shape.columns.map(index => columns[index]!.known!.column),
      ),
    whyNotColumn: key => whyNotColumn(key, name, request, table),
  }
}

function mergeColumn({ name, type, sqlType, collation, defaultSql }: Column): MergeColumn {
  return { name, baseType: type.sqlName, sqlType, collation, defaultSql, truncated: isTruncated(type) }
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

function isKeyOrUpdated(column: string, { keys, update }: Conflict): boolean {
  return keys.includes(column) || update.includes(column)
}

/** What an update leaves as it is, and a delete and an insert do not. */
function isLeftAlone({ name, generated }: Column, written: readonly string[]): boolean {
  return !generated && !written.includes(name)
}

function knownColumns<Item>(request: WriteRequest<Item>, table: Table): PlannedColumn[] {
  if (!request.columns) return table.columns.filter(isInsertable).map(plannedColumn)
  const byName = new Map(table.columns.map(column => [column.name, column]))
  return request.columns.map(name => {
    const column = byName.get(name)
    if (!column) {
      const all = table.columns.map(known => known.name).join(', ')
      throw notFound(
        `Column ${JSON.stringify(name)} does not exist in ${quoteTable(table)}, which has: ${all}`,
        name,
      )
    }
    if (!isInsertable(column)) {
      throw notFound(
        `Column ${JSON.stringify(name)} of ${quoteTable(table)} ${alwaysGenerated(column)}: leave it out of \`columns\``,
        name,
      )
    }
    return plannedColumn(column)
  })
}

/** INSERT refuses values for these (COPY would take them for an identity); only the server fills them. */
function isInsertable(column: Column): boolean {
  return !column.generated && column.identity !== 'always'
}

function alwaysGenerated(column: Column): string {
  return column.generated
    ? 'is generated always from an expression'
    : 'is an identity that is generated always'
}

function plannedColumn(column: Column): PlannedColumn {
  return { name: column.name, read: reader(column.name), known: { column, codec: codecFor(column.type) } }
}

function unknownColumn(name: string): PlannedColumn {
  return { name, read: reader(name) }
}

/** Reads a key; inherited ones, too, as a class's getters, but not what every object has from Object.prototype. */
function reader(name: string): (row: object) => unknown {
  type Keyed = Record<string, unknown>
  if (name in Object.prototype) return row => (Object.hasOwn(row, name) ? (row as Keyed)[name] : undefined)
  return row => (row as Keyed)[name]
}

function chooseMethod<Item>(
  request: WriteRequest<Item>,
  table: Table | undefined,
  columns: readonly PlannedColumn[],
): Method {
  if (!table || columns.length === 0) return 'insert'
  if (request.method === 'insert') return 'insert'
  const obstacle = copyObstacleOf(table, request.onConflict !== undefined)
  if (request.method === 'auto' && (obstacle || columns.some(isReadOtherwise))) return 'insert'
  if (!obstacle) return request.method
  const reason = `${quoteTable(table)} cannot be written by COPY (${obstacle}): use \`method: 'auto'\` or 'insert'`
  throw new PgBatchError('REFUSED', reason, { outcome: 'not-sent' })
}

/** COPY reads '04:05' as the fields of `interval minute to second` have it, a parameter is read as any interval's. */
function isReadOtherwise({ known }: PlannedColumn): boolean {
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

function whyNotColumn<Item>(
  key: string,
  name: TableParts,
  request: WriteRequest<Item>,
  table: Table | undefined,
): string {
  const column = table?.columns.find(known => known.name === key)
  if (column && !isInsertable(column))
    return `but that column of ${quoteTable(name)} ${alwaysGenerated(column)}`
  const advice = "leave it out, or set `unknownKeys: 'ignore'`"
  if (column || (!table && request.columns)) return `which is not among \`columns\`: ${advice}`
  return `which is no column of ${quoteTable(name)}: ${advice}`
}

function notFound(message: string, column: string): PgBatchError {
  return new PgBatchError('COLUMN_NOT_FOUND', message, { outcome: 'not-sent', column })
}
