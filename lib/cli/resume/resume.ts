import { resolve } from 'node:path'
import type { Sources } from '../../sources/open-sources.ts'
import type { AddedColumn } from '../../table/alter-table.ts'
import { quoteLiteral, quoteTable } from '../../table/identifier.ts'
import type { Table } from '../../types.ts'
import { formatCount, plural } from '../../values/format-count.ts'
import type { CheckpointOptions } from '../../writable/options/checkpoint-options.ts'
import { DEFAULT_CHECKPOINT_TABLE } from '../../write/checkpoint/read-checkpoint.ts'
import type { Database } from '../database/database.ts'
import { privilegeHint } from '../database/privileges.ts'
import { dataError, type ExitError } from '../exit-error.ts'
import { difference, identityOf, identityOfSpooled } from '../files/file-identity.ts'
import type { NumberedRow } from '../rows/row-intake.ts'
import type { Distribution } from './distribution.ts'
import {
  addNewColumns,
  beginRecord,
  finishRecord,
  hasRecord,
  type KnownFile,
  type ResumeRecord,
  readDistribution,
} from './resume-record.ts'
import { checkpointNames, readWrittenRows, type WrittenRows } from './written-rows.ts'

/**
 * A load that can be killed and run again. For each file the writer's checkpoint holds the number of the last
 * row written, in the transaction of that row. A record beside it holds the identity of the files.
 */
export interface Resume extends WrittenRows {
  /** The checkpoint of the only worker. */
  readonly checkpoint: CheckpointOptions<Pick<NumberedRow, 'number'>>
  /** Where the load continues. Undefined if nothing was written before. */
  readonly note: string | undefined
  /** Set if an earlier run wrote all rows: the message that says so. */
  readonly complete: string | undefined
  /** Stores columns that --evolve has added for rows of this run. */
  addColumns(added: readonly AddedColumn[]): Promise<void>
  /**
   * Stores that the load is complete.
   * @throws ExitError if a file has changed while it was read
   */
  finish(rowsRead: number): Promise<void>
}

export interface OpenResumeOptions {
  readonly source: Sources
  readonly fingerprint: string
  readonly table: Table
  /** How a new load distributes its rows. A load that has begun before continues as it began. */
  readonly distribution: Distribution
  /** The columns that --evolve has added for a new load. */
  readonly newColumns: readonly AddedColumn[]
}

/**
 * Opens a load that can be resumed.
 * @throws ExitError if the name belongs to another load, or a file has changed
 */
export async function openResume(
  { pool, user }: Pick<Database, 'pool' | 'user'>,
  name: string,
  { source, fingerprint, table, distribution, newColumns }: OpenResumeOptions,
): Promise<Resume> {
  const pathOf = new Map(source.files.map(file => [file, resolve(file)]))
  const files = await identify(source, pathOf)
  const target = quoteTable({ schema: table.schema, name: table.name })
  const begun = { files, target, fingerprint, distribution, newColumns }
  const denied = (error: unknown): never => {
    throw deniedTables(error, user)
  }
  if (!(await hasRecord(pool, name).catch(denied))) {
    const { rowsWritten } = await readWrittenRows(pool, name, source, distribution).catch(denied)
    if (rowsWritten > 0) throw forgottenLoad(name, rowsWritten, distribution)
  }
  const record = await beginRecord(pool, name, begun).catch(denied)
  const written = await readWrittenRows(pool, name, source, record.distribution)
  const { rowsWritten, checkpoints, placeOf } = written
  checkSame(name, record, begun, rowsWritten)
  return {
    ...written,
    checkpoint: {
      ...checkpoints[0]!,
      position({ number }) {
        const { partition, row } = placeOf(number)
        return { partition, offset: row }
      },
    },
    note: noteOf(name, written, distribution),
    complete: record.finished && completeLine(name, record, table.name),
    addColumns: added => addNewColumns(pool, name, added),
    async finish(rowsRead) {
      for (const [index, now] of (await identify(source, pathOf)).entries()) {
        const changed = difference(files[index]!, now)
        if (changed) throw dataError(`${source.files[index]} has changed while it was read: ${changed}`)
      }
      await finishRecord(pool, name, rowsRead)
    },
  }
}

/** Returns which rows an earlier run has written; undefined for none. Stores nothing. */
export async function rowsWrittenBefore(
  pool: Database['pool'],
  name: string,
  source: Sources,
): Promise<WrittenRows | undefined> {
  const distribution = await readDistribution(pool, name)
  return distribution && readWrittenRows(pool, name, source, distribution)
}

function noteOf(
  name: string,
  { rowsWritten, distribution: { workers } }: WrittenRows,
  wanted: Distribution,
): string | undefined {
  const other = workers === wanted.workers ? '' : `, with the ${plural(workers, 'worker')} that it began with`
  if (rowsWritten === 0 && other === '') return undefined
  const where = workers === 1 ? `row ${formatCount(rowsWritten)}` : plural(rowsWritten, 'row')
  return `--resume ${name}: continuing after ${where}${other}`
}

/** Explains that the role may not create or use the tables of --resume. */
function deniedTables(error: unknown, user: string): unknown {
  const tables = `--resume stores its progress in the tables pg_batch_resume and ${DEFAULT_CHECKPOINT_TABLE}`
  const wanted = { user, table: { name: 'pg_batch_resume' }, privileges: 'SELECT, INSERT, UPDATE' } as const
  const hint = privilegeHint(error, { ...wanted, onSchema: 'CREATE' })
  if (hint === '') return error
  return dataError(`${tables}: ${(error as Error).message} (42501)${hint}`, error)
}

/** One after the other: there may be more files than a process may open. */
async function identify({ spool }: Sources, pathOf: ReadonlyMap<string, string>): Promise<KnownFile[]> {
  const files: KnownFile[] = []
  for (const [file, path] of pathOf) {
    const spooled = spool.handleOf(file)
    files.push({ ...(await (spooled ? identityOfSpooled(spooled) : identityOf(path))), path })
  }
  return files
}

function checkSame(
  name: string,
  record: ResumeRecord,
  now: Omit<ResumeRecord, 'finished'>,
  rowsWritten: number,
): void {
  const other = '; use another name for another load'
  const list = ({ files }: Pick<ResumeRecord, 'files'>) => files.map(({ path }) => path).join(', ')
  if (list(record) !== list(now)) throw dataError(`--resume ${name} is the load of ${list(record)}${other}`)
  if (record.target !== now.target)
    throw dataError(`--resume ${name} loads into ${record.target}, not ${now.target}${other}`)
  for (const [index, file] of now.files.entries()) {
    const changed = difference(record.files[index]!, file)
    if (!changed) continue
    const whose = now.files.length === 1 ? 'its' : 'their'
    const written =
      rowsWritten === 0 ? `none of ${whose} rows were` : `${whose} first ${plural(rowsWritten, 'row')} were`
    throw dataError(
      `${file.path} has changed since the load ${name} began: ${changed}; ${written} written by then${other}`,
    )
  }
  if (record.fingerprint !== now.fingerprint) {
    const same = '; the same options continue the load'
    throw dataError(`--resume ${name} reads ${record.fingerprint}; not ${now.fingerprint}${same}${other}`)
  }
}

function completeLine(name: string, record: ResumeRecord, table: string): string {
  const { finished, files, distribution } = record
  const { rows, at } = finished!
  const when = at.toISOString().replace('T', ' ').slice(0, 19)
  const of = files.length === 1 ? 'the file' : `the ${formatCount(files.length)} files`
  const all = `all ${plural(rows, 'row')} of ${of} were written on ${when} UTC`
  const again = `to write them again, use another name, or delete this one: ${forgetSql(name, distribution)}`
  return `${table}: --resume ${name} is complete: ${all}; ${again}`
}

/** The rows that are written are perhaps of another table or file, so that none may be skipped in silence. */
function forgottenLoad(name: string, rowsWritten: number, distribution: Distribution): ExitError {
  return dataError(
    `--resume ${name}: ${DEFAULT_CHECKPOINT_TABLE} has ${plural(rowsWritten, 'row')} of these files ` +
      'as written, but pg_batch_resume does not have this load; to write all rows, run: ' +
      uncountSql(name, distribution),
  )
}

/** Returns the statements that remove a name. Whether the rows are still in the table is not known here. */
function forgetSql(name: string, distribution: Distribution): string {
  return `DELETE FROM pg_batch_resume WHERE name = ${quoteLiteral(name)}; ${uncountSql(name, distribution)}`
}

/** Returns the statement that removes the numbers of the last rows. */
function uncountSql(name: string, { workers }: Distribution): string {
  const names = checkpointNames(name, workers).map(quoteLiteral)
  const isOne = workers === 1 ? `= ${names[0]}` : `IN (${names.join(', ')})`
  return `DELETE FROM ${DEFAULT_CHECKPOINT_TABLE} WHERE name ${isOne}`
}
