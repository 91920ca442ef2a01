import {
  type CsvColumns,
  makeRowEncoder,
  objectOf,
  type RowEncoder,
  type RowEncoderOptions,
} from '../../encode/row-encoder.ts'
import type { TableParts } from '../../table/identifier.ts'
import type { Conflict } from '../../table/merge/conflict.ts'
import type { Merge, MergeShape } from '../../table/merge/merge.ts'
import { requireNoRowTriggers, requireSameTypes } from '../../table/statements.ts'
import type { Column, CopyFormat, Method, SelfReference, Table } from '../../types.ts'
import { resolveConflict } from '../conflict/resolve-conflict.ts'
import { RowLength } from '../rows/row-length.ts'
import { type RowShape, RowShapes } from '../rows/row-shapes.ts'
import { chooseMixing, chooseWay } from './choose-way.ts'
import { CopyFormatChoice } from './copy-format.ts'
import { mergeInto } from './merge-plan.ts'
import { ownCodecs } from './own-codecs.ts'
import { type PlannedColumn, plannedColumns } from './planned-columns.ts'
import { RecordKeys } from './record-keys.ts'
import { NO_CONFLICT, planReplacement, type ReplacementPlan } from './replacement-plan.ts'
import { planRowResults, type RowResultsPlan, storesEveryRow } from './row-results-plan.ts'
import type { WriteRequest } from './write-request.ts'

/** What every batch is sent with: the request, joined with what the catalogue says about its table. */
export interface TablePlan {
  readonly table: TableParts
  readonly columns: readonly PlannedColumn[]
  readonly columnNames: ReadonlySet<string>
  /** Indexes of the columns where a missing value is not NULL, but a DEFAULT or the stored value. */
  readonly defaulted: readonly number[]
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
  /** Plain rows are sent in the order of their batch, whatever their shapes: it may decide what is stored. */
  readonly ordersRows: boolean
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
  /** Returns the statement that fails if the columns of a shape have changed. */
  readonly requireSameTypes: (shape: RowShape) => string
  /** The statement that fails after rows were sent if something may have dropped one of them. */
  readonly checkAfterRows: string | undefined
  /** Each row that is sent is stored, or its statement fails: nothing can drop a row. */
  readonly storesEveryRow: boolean
}

/**
 * Plans how rows are sent to the table.
 * @throws PgBatchError for columns, a conflict target or a method that the table does not have
 */
export function planTable<Item>(
  request: WriteRequest<Item>,
  table: Table | undefined,
  isPostgres: boolean,
): TablePlan {
  const overrides = request.identity === 'keep'
  const name = table ? { schema: table.schema, name: table.name } : request.table
  const { csv, json, blocks, operation } = request
  const own = ownCodecs(request.codecs ?? [], table)
  const columns = plannedColumns(request, table, own)
  const names = columns.map(column => column.name)
  const rowResults = planRowResults(request, table)
  const conflict =
    request.onConflict && resolveConflict(request.onConflict, names, table, operation !== undefined)
  const sent = rowResults?.by === 'row by row' ? { ...request, method: 'insert' as const } : request
  const { method, copyFormat } = chooseWay(sent, table, columns, conflict)
  const defaulted = defaultedColumns(request, columns, conflict)
  const isCitus = table?.isCitus === true
  const isCounted = rowResults?.by === 'counted'
  // only blocks have times without a zone as values that are no text
  const typeChecks = { sendsLocalTimes: blocks !== undefined, keepsSnapshot: table?.keepsSnapshot === true }
  const replacement = request.replace ? planReplacement(table, names) : undefined
  const merged = conflict ?? (replacement && NO_CONFLICT)
  return {
    table: name,
    columns,
    columnNames: new Set(names),
    defaulted,
    shapes: new RowShapes(
      names,
      names.filter(column => conflict && isForDeletes(column, conflict)),
    ),
    method,
    copyFormat,
    isCitus,
    csv,
    recordKeys: json && new RecordKeys(json, names, defaulted),
    objectOf: row => objectOf(row, json),
    format: new CopyFormatChoice(copyFormat),
    rowLength: new RowLength(),
    conflict,
    rowResults,
    overrides,
    replacement,
    merge: merged && table && { ...mergeInto(table, columns, merged, isPostgres && !isCitus), overrides },
    // a staging table has no foreign keys
    selfReferences: replacement ? [] : writtenReferences(table, names),
    ordersRows: !merged && table !== undefined && mayRewrite(table),
    mixesShapes: merged || defaulted.length === 0 ? 'never' : chooseMixing(request, table, copyFormat),
    mergeShape: ({ columns, ...shape }) => ({ ...shape, columns: columns.map(index => names[index]!) }),
    encoderFor: encoders(columns, { own, csv, json, blocks }),
    requireSameTypes: rememberByShape(shape => requireSameTypes(name, knownOf(shape, columns), typeChecks)),
    checkAfterRows: table && isCounted ? requireNoRowTriggers(name, table.kind === 'partitioned') : undefined,
    storesEveryRow: table !== undefined && !conflict && storesEveryRow(table),
  }
}

/** Keeps the text of each shape: every transaction sends it. */
function rememberByShape(textOf: (shape: RowShape) => string): (shape: RowShape) => string {
  const known = new WeakMap<RowShape, string>()
  return shape => {
    const text = known.get(shape) ?? textOf(shape)
    known.set(shape, text)
    return text
  }
}

/** Returns the indexes of the columns where a missing value is not NULL. */
function defaultedColumns<Item>(
  { csv, blocks }: WriteRequest<Item>,
  columns: readonly PlannedColumn[],
  conflict: Conflict | undefined,
): number[] {
  // a record of CSV, and a row of a block, has a field for each column
  if (csv || blocks) return []
  return columns.flatMap(({ name, known }, index) =>
    known?.column.hasDefault || keepsMissing(name, conflict) ? [index] : [],
  )
}

/** Returns true where a trigger, a view or a rule may turn the insert of a row into any other change. */
function mayRewrite({ kind, hasInsertTriggers, copyObstacle }: Table): boolean {
  const isOrdinary = kind === 'table' || kind === 'partitioned'
  return !isOrdinary || hasInsertTriggers === true || copyObstacle === 'rules'
}

function writtenReferences(table: Table | undefined, names: readonly string[]): SelfReference[] {
  return (table?.selfReferences ?? []).filter(({ columns, references }) =>
    [...columns, ...references].every(column => names.includes(column)),
  )
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

/** Returns true for a column whose stored value an upsert keeps where the row has no value. */
function keepsMissing(column: string, conflict: Conflict | undefined): boolean {
  return conflict?.action === 'update' && conflict.update.includes(column)
}
