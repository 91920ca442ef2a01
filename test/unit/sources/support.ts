import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { readCsv } from '../../../lib/sources/csv/csv.ts'
import type { CsvOptions } from '../../../lib/sources/csv/csv-options.ts'
import type { Dialect } from '../../../lib/sources/csv/dialect.ts'
import { rowsOf } from '../../../lib/sources/csv/record-rows.ts'
import type { SourceRow } from '../../../lib/sources/rows.ts'
import { toJsonText } from '../../../lib/values/exact-json.ts'

/** Runs text through a reader, `step` bytes at a time: readers must not care where chunks end. */
export async function readAll(
  reader: NodeJS.ReadWriteStream,
  text: string | Buffer,
  step: number = 1 << 16,
): Promise<SourceRow[]> {
  const rows: SourceRow[] = []
  await pipeline(Readable.from(slices(Buffer.from(text as string), step)), reader, async source => {
    for await (const row of source) rows.push(row as unknown as SourceRow)
  })
  return rows
}

/** Rows of JSON as `JSON.parse` has them. */
export function parsed(rows: readonly SourceRow[]): unknown {
  return JSON.parse(toJsonText(rows))
}

/** The same for CSV, whose reader gives records in arrays; `loose`: ragged ones are rows, too. */
export async function readCsvRows(
  dialect: Dialect,
  text: string | Buffer,
  step: number = 1 << 16,
  onHeader: (header: readonly string[]) => void = () => {},
  {
    loose = false,
    ...options
  }: { loose?: boolean } & Pick<CsvOptions, 'keepsMalformed' | 'lenient' | 'repairs' | 'sampled'> = {},
): Promise<SourceRow[]> {
  let rows: Promise<SourceRow[]> | undefined
  const reader = readCsv('f.csv', dialect, { batchRows: 3, fill: true, ...options }, records => {
    onHeader(records.header)
    rows = rowsOf(loose ? { ...records, raggedness: () => undefined } : records, () => 'f.csv').toArray()
    rows.catch(() => {}) // awaited below
  })
  await new Promise<void>(resolve => {
    pipeline(Readable.from(slices(Buffer.from(text as string), step)), reader).then(resolve, error => {
      rows ??= Promise.reject(error)
      resolve()
    })
  })
  return rows ?? []
}

export function* slices(bytes: Buffer, step: number): Generator<Buffer> {
  for (let i = 0; i < bytes.length; i += step) yield bytes.subarray(i, i + step)
}

/** The message that a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('expected a failure')
}
