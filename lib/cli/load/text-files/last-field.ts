import type { RecordTable } from '../../../csv/record-table.ts'
import { endsWithDelimiter, withoutLastField } from '../../../sources/csv/last-field.ts'
import { type Records, rowsOf } from '../../../sources/csv/record-rows.ts'
import type { Sources } from '../../../sources/open-sources.ts'
import { peekRows } from '../../../streams/peek-rows.ts'
import { isInsertable } from '../../../table/insertable.ts'
import type { Table } from '../../../types.ts'
import type { LoadArguments } from '../../arguments/arguments.ts'
import { interruptible, type LoadTask } from '../load-task.ts'

const SAMPLE_ROWS = 1000

/**
 * Delimiters of spreadsheets, which do not end a record with one: without names, an empty last field is a
 * column.
 */
const SPREADSHEET = [',', '\t']

/**
 * Returns the task without the last field of its records, if the file has one field more than there are names
 * for, and the first records end with a delimiter (`1|2|3|`, as the files of TPC-H). Each other record is
 * checked when it is read.
 * @param table the table, if it exists
 */
export async function withoutEmptyLast(task: LoadTask, table?: Table): Promise<LoadTask> {
  const { source, args, notify } = task
  const { records } = source
  if (!records || !mayLeaveOut(source, args, table)) return task
  const { head, whole } = await interruptible(task, () =>
    peekRows(records.stream, source.live ? 1 : SAMPLE_ROWS, (batch: RecordTable) => batch.length),
  )
  const peeked = withRecords(source, { ...records, stream: whole })
  const sampled = head.flatMap(table => [...table]).slice(0, SAMPLE_ROWS)
  const sound = sampled.filter(({ fault }) => fault === undefined)
  const isDelimited = sound.every(record => endsWithDelimiter(record, records.format.delimiter))
  if (!isDelimited || (source.headless && sound.length === 0)) return { ...task, source: peeked }
  notify(`${source.name}: each record ends with a delimiter; the empty field after it is left out`)
  return {
    ...task,
    source: shortened(peeked),
    reopen: async () => shortened(await task.reopen()),
    readAgain: async () => shortened(await task.readAgain()),
  }
}

/** Returns true if the last field has no column. */
function mayLeaveOut(
  { header = [], headless, isLastUnnamed, records }: Sources,
  { columns, map, create, strictHeader }: LoadArguments,
  table: Table | undefined,
): boolean {
  if (create && strictHeader) return false
  if (!headless) return isLastUnnamed === true && columns === undefined && !map?.has(header.at(-1)!)
  const names = columns?.length ?? table?.columns.filter(isInsertable).length
  if (names !== undefined) return header.length === names + 1
  return header.length > 1 && !SPREADSHEET.includes(records?.format.delimiter ?? '')
}

function shortened(source: Sources): Sources {
  const fileOf = (number: number) => source.positionOf(number).file
  return { ...withRecords(source, withoutLastField(source.records!, fileOf)), isLastUnnamed: false }
}

function withRecords(source: Sources, records: Records): Sources {
  const { header } = records
  const unnamed = records.unnamed.filter(name => header.includes(name))
  return { ...source, header, unnamed, records, rows: rowsOf(records, row => source.positionOf(row).file) }
}

/** Names the last column, which has values, but no name. */
export function lastUnnamedNote({ name, header = [] }: Sources): string {
  return `${name}: column ${header.length} has no name and is called "${header.at(-1)}"`
}
