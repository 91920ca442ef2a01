import {
  type CsvColumns,
  makeRowEncoder,
  objectOf,
  type RowEncoder,
  type RowEncoderOptions,
} from '../../encode/row-encoder.ts'
import { whyNoNewColumn } from '../../table/alter-table.ts'
import type { TableParts } from '../../table/identifier.ts'
import { keepIdentity } from '../../table/insertable.ts'
import type { Conflict } from '../../table/merge/conflict.ts'
import type { Merge, MergeShape } from '../../table/merge/merge.ts'
import { requireNoRowTriggers, requireSameTypes, sameTypesStatement } from '../../table/statements.ts'
import type { Column, CopyFormat, Method, SelfReference, Table } from '../../types.ts'
import { resolveConflict } from '../conflict/resolve-conflict.ts'
import { RowLength } from '../rows/row-length.ts'
import { type RowShape, RowShapes } from '../rows/row-shapes.ts'
import { chooseMixing, chooseWay } from './choose-way.ts'
import { CopyFormatChoice } from './copy-format.ts'
import { bytesColumns } from './decode-bytes.ts'
import { expectAlterable } from './evolve-policy.ts'
import { mergeInto } from './merge-plan.ts'
import { ownCodecs } from './own-codecs.ts'
import { type PlannedColumn, plannedColumns, whyNotColumn } from './planned-columns.ts'
import { RecordKeys } from './record-keys.ts'
import { NO_CONFLICT, planReplacement, type ReplacementPlan } from './replacement-plan.ts'
import { planRowResults, type RowResultsPlan, storesEveryRow } from './row-results-plan.ts'
import { makeRecordTexts, makeRowTexts, type RowTexts } from './texts/row-texts.ts'
import type { WriteRequest } from './write-request.ts'

/** What every batch is sent with: the request, joined with what the catalogue says about its table. */
export interface TablePlan {
  readonly table: TableParts
  readonly columns: readonly PlannedColumn[]
  readonly columnNames: ReadonlySet<string>
  readonly shapes: RowShapes
  readonly method: Method
  readonly copyFormat: CopyFormat
  /** Citus stores the rows of the table. */
  readonly isCitus: boolean
  /** Set where rows are records of a CSV file: the columns of their fields. */
  readonly csv: CsvColumns | undefined
  /** Set where rows may be lines of an NDJSON file: what they say about their columns. */
  readonly recordKeys: RecordKeys | undefined
  /** Returns a row as an object: a line of an NDJSON file is parsed. */
  readonly objectOf: (row: object) => object
  /** Chooses the format of COPY by the values that came before. */
  readonly format: CopyFormatChoice
  /** How long the rows of upserts by INSERT were so far. */
  readonly rowLength: RowLength
  readonly conflict: Conflict | undefined
  /** How the action of each row is found out, where the caller wants to know it. */
  readonly rowResults: RowResultsPlan | undefined
  /** How upserts are merged; undefined for plain rows, and where there is no catalogue. */
  readonly merge: Merge | undefined
  /** Foreign keys of the table to itself whose columns are all written. */
  readonly selfReferences: readonly SelfReference[]
  /**
   * Whether rows of several shapes may share a COPY, in which what they lack is marked. With `always` rows of
   * a single shape take it, too, because they may refer to later rows of another shape.
   */
  readonly mixesShapes: 'always' | 'some' | 'never'
  /** INSERT has to say that the rows have values for identity columns that are GENERATED ALWAYS. */
  readonly overrides: boolean
  /** Set where all rows of the table are replaced: rows only go into a staging table. */
  readonly replacement: ReplacementPlan | undefined
  readonly mergeShape: (shape: RowShape) => MergeShape
  /** Returns the encoder for the rows of a shape; recent ones are kept. */
  readonly encoderFor: (shape: RowShape, format: 'binary' | 'text', staging: boolean) => RowEncoder
  /** Returns the statement that asks whether the columns of a shape still have their types. */
  readonly sameTypes: (shape: RowShape) => string
  /** Returns the statements that fail after a COPY if the table has changed in a way that matters to it. */
  readonly checksAfterCopy: (shape: RowShape, format: 'binary' | 'text') => readonly string[]
  /** Each row that is sent is stored, or its statement fails: nothing can drop a row. */
  readonly storesEveryRow: boolean
}

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
  /** Indexes of the columns where a missing value is not NULL, but a DEFAULT or the stored value. */
  readonly defaulted: readonly number[]
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
  const overrides = request.identity === 'keep'
  const table = overrides && known ? keepIdentity(known) : known
  const name = table ? { schema: table.schema, name: table.name } : request.table
  if (request.evolve) expectAlterable(table)
  const own = ownCodecs(request.codecs ?? [], table)
  const columns = plannedColumns(request, table, own)
  const names = columns.map(column => column.name)
  const rowResults = planRowResults(request, table)
  const isRowByRow = rowResults?.by === 'row by row'
  const conflict =
    request.onConflict && resolveConflict(request.onConflict, names, table, request.operation !== undefined)
  const sent = isRowByRow ? { ...request, method: 'insert' as const } : request
  const { method, copyFormat } = chooseWay(sent, table, columns, conflict)
  const { toRow, operation, unknownKeys, csv, json, blocks } = request
  const takesRecords = csv !== undefined || blocks !== undefined
  // only blocks have times without a zone as values that are no text
  const typeChecks = { sendsLocalTimes: blocks !== undefined }
  // a record of CSV, and a row of a block, has a field for each column
  const defaulted = takesRecords
    ? []
    : columns.flatMap(({ name, known }, index) =>
        known?.column.hasDefault || keepsMissing(name, conflict) ? [index] : [],
      )
  const textsOf = csv ? makeRecordTexts(csv) : makeRowTexts(columns, unknownKeys === 'error')
  const isCitus = table?.isCitus === true
  const replacement = request.replace ? planReplacement(table, names) : undefined
  const merged = conflict ?? (replacement && NO_CONFLICT)
  return {
    table: name,
    columns,
    columnNames: new Set(names),
    shapes: new RowShapes(
      names,
      names.filter(column => conflict && isForDeletes(column, conflict)),
    ),
    method,
    copyFormat,
    isCitus,
    csv,
    objectOf: row => objectOf(row, json),
    format: new CopyFormatChoice(copyFormat),
    rowLength: new RowLength(),
    conflict,
    rowResults,
    overrides,
    replacement,
    merge: merged &&
      table && {
        ...mergeInto(table, columns, merged, isPostgres && !isCitus),
        overrides,
      },
    // a staging table has no foreign keys
    selfReferences: (replacement ? [] : (table?.selfReferences ?? [])).filter(({ columns, references }) =>
      [...columns, ...references].every(column => names.includes(column)),
    ),
    mixesShapes: merged || defaulted.length === 0 ? 'never' : chooseMixing(request, table, copyFormat),
    mergeShape: ({ columns, ...shape }) => ({ ...shape, columns: columns.map(index => names[index]!) }),
    encoderFor: encoders(columns, { own, csv, json, blocks }),
    sameTypes: shape => sameTypesStatement(name, knownOf(shape, columns), typeChecks),
    checksAfterCopy: (shape, format) => [
      ...(format === 'binary' ? [requireSameTypes(name, knownOf(shape, columns), typeChecks)] : []),
      ...(table && rowResults?.by === 'counted'
        ? [requireNoRowTriggers(name, table.kind === 'partitioned')]
        : []),
    ],
    storesEveryRow: table !== undefined && !conflict && storesEveryRow(table),
    toRow,
    operation,
    unknownKeys,
    namesColumns: request.columns !== undefined,
    bytesColumns: bytesColumns(columns),
    takesRecords,
    recordKeys: json && new RecordKeys(json, names, defaulted),
    defaulted,
    idempotent: conflict !== undefined && isIdempotent(conflict, columns),
    textsOf: row => textsOf(objectOf(row, json)),
    whyNotColumn: rememberLast(key => whyNotColumn(key, name, request, table)),
    whyNoNewColumn: request.evolve?.addColumns ? key => whyNoNewColumn(key, table?.columns ?? []) : undefined,
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

/** An encoder is compiled code; rows of more shapes than this go by INSERT, or share a staging table. */
const MAX_ENCODERS = 100

function encoders(
  columns: readonly PlannedColumn[],
  rows: Pick<RowEncoderOptions, 'own' | 'csv' | 'json' | 'blocks'>,
): TablePlan['encoderFor'] {
  const made = new Map<string, RowEncoder>()
  return (shape, format, staging) => {
    const key = `${shape.number} ${format} ${staging}`
    let encoder = made.get(key)
    if (!encoder) {
      encoder = makeRowEncoder({
        ...rows,
        columns: knownOf(shape, columns),
        format,
        marksDefaults: shape.mixed,
        ...(staging ? { staging: { shape: shape.number } } : {}),
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

/** Returns true for a column that a delete's row is to bring. */
function isForDeletes(column: string, { keys, special, newerBy }: Conflict): boolean {
  return (special?.inputs ?? keys).includes(column) || column === newerBy
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

/** Returns true for a column whose stored value an upsert keeps where the row has no value. */
function keepsMissing(column: string, conflict: Conflict | undefined): boolean {
  return conflict?.action === 'update' && conflict.update.includes(column)
}
