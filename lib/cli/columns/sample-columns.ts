import type { Readable } from 'node:stream'
import type { RecordTable } from '../../csv/record-table.ts'
import type { LineTable } from '../../json/line-table.ts'
import { parsedLine } from '../../sources/json/ndjson.ts'
import { faultOf } from '../../sources/malformed.ts'
import type { Sources } from '../../sources/open-sources.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { streamOf } from '../../sources/source.ts'
import { peekRows } from '../../streams/peek-rows.ts'
import { plural } from '../../values/format-count.ts'
import type { CreateArguments } from '../arguments/create-arguments.ts'
import type { InputArguments } from '../arguments/input-arguments.ts'
import { type ColumnChecks, columnChecks } from './create-table.ts'
import { ColumnInference, type InferredColumn } from './infer-columns.ts'

/** Columns as their values show them. */
export interface SampledColumns {
  readonly columns: readonly InferredColumn[]
  /** The rows from the first on. For CSV and NDJSON these are tables of records or arrays of lines. */
  readonly rows: Readable
  /** The checks of values, if not all rows were looked at. */
  readonly checks: ColumnChecks | undefined
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
  const csv = args.decimalSeparator === ',' ? 'decimal-comma' : 'csv'
  const kind = source.format === 'csv' ? csv : 'json'
  const inference = new ColumnInference(kind, names)
  const add = (row: SourceRow) => {
    if (faultOf(row) === undefined) inference.add(keep(row))
  }
  const { records, lines } = source
  let rows = streamOf(source)
  let ended = true
  if (args.infer === 'all') {
    for await (const row of everyRow(await reopen())) {
      if (rows.errored) throw rows.errored // after an interruption
      add(row)
    }
  } else if (records) {
    const peeked = await peekRows(rows, SAMPLE_ROWS, (batch: RecordTable) => batch.length)
    for (const record of peeked.head.flatMap(table => [...table]).slice(0, SAMPLE_ROWS)) {
      if (records.raggedness(record) === undefined) add(records.rowOf(record))
    }
    rows = peeked.whole
    ended = peeked.ended
  } else if (lines) {
    const peeked = await peekRows(rows, SAMPLE_ROWS, (batch: LineTable) => batch.length)

    for (const line of peeked.head.flatMap(lines => [...lines]).slice(0, SAMPLE_ROWS)) add(parsedLine(line))
    rows = peeked.whole
    ended = peeked.ended
  } else {
    const peeked = await peekRows<SourceRow>(rows, SAMPLE_ROWS)
    for (const row of peeked.head) add(row)
    rows = peeked.whole
    ended = peeked.ended
  }
  const columns = inference.columns()
  const sampled = `the first ${plural(inference.rows, 'row')}`
  return { columns, rows, checks: ended ? undefined : columnChecks(columns, args, kind, sampled) }
}

/** Leaves out malformed and ragged records of CSV, which are rejected or end the load. */
async function* everyRow({ records, rows }: Sources): AsyncGenerator<SourceRow> {
  if (!records) yield* rows as AsyncIterable<SourceRow>
  else
    for await (const batch of records.stream)
      for (const record of batch as RecordTable)
        if (records.raggedness(record) === undefined) yield records.rowOf(record)
}
