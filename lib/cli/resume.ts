import { resolve } from 'node:path'
import type pg from 'pg'
import type { Source } from '../sources/open-source.ts'
import { quoteTable } from '../table/identifier.ts'
import type { Table } from '../types.ts'
import type { CheckpointOptions } from '../writable-options.ts'
import { readCheckpoint } from '../write/read-checkpoint.ts'
import { dataFailure } from './failure.ts'
import { difference, type FileIdentity, identityOf } from './file-identity.ts'
import { count, plural } from './report.ts'
import { beginRecord, finishRecord, type ResumeRecord } from './resume-record.ts'
import type { NumberedRow } from './row-intake.ts'

/**
 * A load that can be killed and run again: the writer's checkpoint holds the number of the last row that is in, in
 * the rows' own transaction, and a record beside it says which file those numbers are about.
 */
export interface Resume {
  /** Rows of the file that are in the table already. */
  readonly rowsWritten: number
  readonly checkpoint: CheckpointOptions<NumberedRow>
  /** What there is to say of the beginning; undefined: nothing was written before. */
  readonly note: string | undefined
  /** All rows were written by an earlier run: in words. */
  readonly complete: string | undefined
  /** Remembers that the load is complete. @throws Failure when the file has changed while it was read */
  finish(rowsRead: number): Promise<void>
}

/** @throws Failure when the name stands for another load, or the file has changed */
export async function openResume(
  pool: pg.Pool,
  name: string,
  { file, source, table }: { file: string; source: Source; table: Table },
): Promise<Resume> {
  const path = resolve(file)
  const identity = await identityOf(path)
  const target = quoteTable({ schema: table.schema, name: table.name })
  const begun = { ...identity, file: path, target, format: source.format }
  const record = await beginRecord(pool, name, begun)
  // the prefix keeps a load's positions apart from those of a program's own stream
  const checkpointName = `pg-batch load ${name}`
  const position = (await readCheckpoint(pool, checkpointName)).get(path)
  const rowsWritten = position === undefined ? 0 : Number(position)
  checkSame(name, record, begun, rowsWritten)
  return {
    rowsWritten,
    checkpoint: {
      name: checkpointName,
      position: ({ number }) => ({ partition: path, offset: number }),
    },
    note: rowsWritten === 0 ? undefined : `--resume ${name}: going on after row ${count(rowsWritten)}`,
    complete: record.finished && completeLine(name, record, table.name),
    async finish(rowsRead) {
      const changed = difference(identity, await identityOf(path))
      if (changed) throw dataFailure(`${file} has changed while it was read: ${changed}`)
      await finishRecord(pool, name, rowsRead)
    },
  }
}

function checkSame(
  name: string,
  record: ResumeRecord,
  now: FileIdentity & { file: string; target: string; format: string },
  rowsWritten: number,
): void {
  const other = `; for another load take another name`
  if (record.file !== now.file) throw dataFailure(`--resume ${name} is the load of ${record.file}${other}`)
  if (record.target !== now.target)
    throw dataFailure(`--resume ${name} loads into ${record.target}, not ${now.target}${other}`)
  if (record.format !== now.format)
    throw dataFailure(`--resume ${name} reads ${now.file} as ${record.format}, not ${now.format}${other}`)
  const changed = difference(record, now)
  if (!changed) return
  const written = rowsWritten === 0 ? 'none of its rows were' : `its first ${plural(rowsWritten, 'row')} were`
  throw dataFailure(
    `${now.file} has changed since the load ${name} began: ${changed}; ${written} written by then${other}`,
  )
}

function completeLine(name: string, { finished }: ResumeRecord, table: string): string {
  const { rows, at } = finished!
  const when = at.toISOString().replace('T', ' ').slice(0, 19)
  return `${table}: --resume ${name} is complete: all ${plural(rows, 'row')} of the file are in since ${when} UTC`
}
