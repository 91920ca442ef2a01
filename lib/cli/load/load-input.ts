import type { Duplex } from 'node:stream'
import { BatchTransform } from '../../batch/batch-transform.ts'
import { type BlockRow, NUMBER } from '../../columnar/block-row.ts'
import type { CsvRecord } from '../../csv/record.ts'
import type { RecordTable } from '../../csv/record-table.ts'
import { JsonRecord } from '../../json/record.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { sizeOfValue } from '../../values/size-of-value.ts'
import type { PgBatchWritableOptions } from '../../writable/options.ts'
import { batchLimitsOf } from '../arguments/run-options.ts'
import { BlockIntake } from '../rows/block-intake.ts'
import type { BlockWriting } from '../rows/block-writing.ts'
import type { Intake, IntakeOptions } from '../rows/intake.ts'
import { LineIntake } from '../rows/line-intake.ts'
import type { LineWriting } from '../rows/line-writing.ts'
import { loadBlockEncoder } from '../rows/load-wasm-encoder.ts'
import { RecordIntake } from '../rows/record-intake.ts'
import type { RecordWriting } from '../rows/record-writing.ts'
import { type NumberedRow, RowIntake, type RowOptions } from '../rows/row-intake.ts'
import type { LoadPlan } from './load-plan.ts'

/** The streams before the writer, and how the writer writes their items. */
export interface LoadInput {
  readonly intake: Intake<never>
  /** Makes arrays of items, if the intake does not. */
  readonly batching: readonly Duplex[]
  /** Returns the row of an item. */
  readonly rowOf: (item: unknown) => SourceRow
  readonly writing: Pick<
    PgBatchWritableOptions<unknown, SourceRow>,
    'columns' | 'unknownKeys' | 'onConflict' | 'method' | 'evolve' | 'csv' | 'json' | 'blocks' | 'toRow'
  >
  /** Returns the number of an item in the input, from 1. Only for inputs that are `numbered`. */
  readonly numberOf: (item: unknown) => number
}

export interface InputOptions extends Pick<IntakeOptions, 'skip'>, Pick<RowOptions, 'numbered'> {
  readonly isWritten?: ((rowNumber: number) => boolean) | undefined
  readonly onBatch: (count: number, records?: RecordTable) => void
}

/**
 * Opens the rows of a plan: one by one, as records if they are CSV, as lines if they are NDJSON, or as blocks
 * if they are Parquet.
 */
export function openInput(plan: LoadPlan, options: InputOptions): LoadInput {
  if (plan.records) return recordInput(plan, plan.records, options)
  if (plan.lines) return lineInput(plan, plan.lines, options)
  return plan.blocks ? blockInput(plan, plan.blocks, options) : rowInput(plan, options)
}

function rowInput(plan: LoadPlan, { skip, numbered, onBatch }: InputOptions): LoadInput {
  const { args, source, rows, change, unwrap, shape, writing } = plan
  const lineOf = (item: unknown): SourceRow => (numbered ? (item as NumberedRow).row : (item as SourceRow))
  const rowOf = (item: unknown): SourceRow => unwrap(lineOf(item))
  const limits = batchLimitsOf(args)
  const batches = new BatchTransform<SourceRow>({
    maxCount: limits.rows,
    maxBytes: limits.bytes,
    sizeOf: sizeOfValue,
    // only a pipe may be slow; a row that comes from a pipe should not wait for others
    ...(source.live ? {} : { maxWaitMs: Number.POSITIVE_INFINITY }),
  })
  batches.on('batch', ({ count }) => onBatch(count))
  return {
    intake: new RowIntake(rows, { skip, numbered, change }),
    batching: [batches],
    rowOf,
    writing: { ...writing, toRow: item => shape(rowOf(item), lineOf(item)) },
    numberOf: item => (item as NumberedRow).number,
  }
}

function lineInput(
  { rows, change, unwrap, shape, writing }: LoadPlan,
  { arePlain, rowOf: rowOfRecord, json }: LineWriting,
  { skip, numbered, onBatch }: InputOptions,
): LoadInput {
  const lineOf = (item: unknown): SourceRow => (numbered ? (item as NumberedRow).row : (item as SourceRow))
  const rowOf = (item: unknown): SourceRow =>
    item instanceof JsonRecord ? rowOfRecord(item) : unwrap(lineOf(item))
  return {
    intake: new LineIntake(rows, { skip, numbered, change, arePlain, onBatch: count => onBatch(count) }),
    batching: [],
    rowOf,
    writing: {
      ...writing,
      ...(json ? { json } : {}),
      toRow: item =>
        item instanceof JsonRecord ? (item as unknown as SourceRow) : shape(rowOf(item), lineOf(item)),
    },
    numberOf: item => (item as JsonRecord | NumberedRow).number,
  }
}

function recordInput(
  { rows, writing }: LoadPlan,
  { csv, rowOf, toRow, judge, check }: RecordWriting,
  { skip, isWritten, onBatch }: InputOptions,
): LoadInput {
  const { onConflict } = writing
  return {
    intake: new RecordIntake(rows, { skip, isWritten, judge, check, onBatch }),
    batching: [],
    rowOf: item => rowOf(item as CsvRecord),
    writing: {
      ...(csv ? { csv, onConflict } : writing),
      toRow: toRow && (item => toRow(item as CsvRecord) as SourceRow),
    },
    numberOf: item => (item as CsvRecord).number,
  }
}

function blockInput(
  { writing }: LoadPlan,
  { stream, layout, rowOf, toRow }: BlockWriting,
  { skip, onBatch }: InputOptions,
): LoadInput {
  return {
    intake: new BlockIntake(stream, { layout, skip, onBatch: count => onBatch(count) }),
    batching: [],
    rowOf: item => rowOf(item as BlockRow),
    writing: {
      ...writing,
      blocks: { layout, wasm: loadBlockEncoder() },
      toRow: toRow && (item => toRow(item as BlockRow) as unknown as SourceRow),
    },
    numberOf: item => (item as BlockRow)[NUMBER],
  }
}
