import type { Readable } from 'node:stream'
import type { RecordTable } from '../../csv/record-table.ts'
import { faultOf } from '../../sources/malformed.ts'
import type { Sources } from '../../sources/open-sources.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { streamOf } from '../../sources/source.ts'
import { plural } from '../../values/format-count.ts'
import type { ValueKind } from '../../values/infer-type.ts'
import type { CreateArguments } from '../arguments/create-arguments.ts'
import type { InputArguments } from '../arguments/input-arguments.ts'
import { type ColumnChecks, columnChecks } from './create-table.ts'
import { ColumnInference, type InferredColumn } from './infer-columns.ts'
import { peekItems, rowOfItem } from './peek-items.ts'

/** Columns as their values show them. */
export interface SampledColumns {
  readonly columns: readonly InferredColumn[]
  /** The rows from the first on. For CSV and NDJSON these are tables of records or of lines. */
  readonly rows: Readable
  /** The checks of values, if not all rows were looked at. */
  readonly checks: ColumnChecks | undefined
}

/** Returns how the values of a source show their types. */
export function valueKindOf(
  { format }: Sources,
  { decimalSeparator }: Pick<InputArguments, 'decimalSeparator'>,
): ValueKind {
  if (format !== 'csv') return 'json'
  return decimalSeparator === ',' ? 'decimal-comma' : 'csv'
}

export interface SampleOptions {
  /** Columns that come first, in this order, even if no row has them. */
  readonly names?: readonly string[] | undefined
  /** Returns what counts of a row, with columns as keys. */
  readonly keep: (row: SourceRow) => SourceRow
  readonly args: CreateArguments & Pick<InputArguments, 'decimalSeparator'>
}

const SAMPLE_ROWS = 1000

/** Infers columns from the first rows, or from all rows of a second reading (`--infer all`). */
export async function sampleColumns(
  source: Sources,
  reopen: () => Promise<Sources>,
  { names, keep, args }: SampleOptions,
): Promise<SampledColumns> {
  const kind = valueKindOf(source, args)
  const inference = new ColumnInference(kind, names)
  const add = (row: SourceRow | undefined) => {
    if (row !== undefined) inference.add(keep(row))
  }
  let rows = streamOf(source)
  let ended = true
  if (args.infer === 'all') {
    for await (const row of everyRow(await reopen())) {
      if (rows.errored) throw rows.errored // after an interruption
      add(row)
    }
  } else {
    const peeked = await peekItems(rows, SAMPLE_ROWS)
    for (const item of peeked.items.slice(0, SAMPLE_ROWS)) add(rowOfItem(source, item))
    rows = peeked.whole
    ended = peeked.ended
  }
  const columns = inference.columns()
  const sampled = `the first ${plural(inference.rows, 'row')}`
  return { columns, rows, checks: ended ? undefined : columnChecks(columns, args, kind, sampled) }
}

/** Yields the rows that are neither rejected nor end the load. */
async function* everyRow(source: Sources): AsyncGenerator<SourceRow> {
  const { records, rows } = source
  if (!records) {
    for await (const row of rows) if (faultOf(row) === undefined) yield row
    return
  }
  for await (const table of records.stream) {
    for (const record of table as RecordTable) {
      const row = rowOfItem(source, record)
      if (row !== undefined) yield row
    }
  }
}
