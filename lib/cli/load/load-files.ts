import type { Readable } from 'node:stream'
import { Spool } from '../../sources/input/spool.ts'
import type { SourceOptions } from '../../sources/open-source.ts'
import { openSources, type Sources } from '../../sources/open-sources.ts'
import { Repairs } from '../../sources/repairs.ts'
import type { LoadArguments } from '../arguments/arguments.ts'
import { dialectOf, needlessOption } from '../arguments/input-arguments.ts'
import { batchLimitsOf, connectionsOf, keepsRejects } from '../arguments/run-options.ts'
import { type Database, type DatabaseRequest, openDatabase } from '../database/database.ts'
import type { EarlyDatabase } from '../database/early-database.ts'
import { interruptedError, usageError } from '../exit-error.ts'
import { explain } from '../report/explain.ts'
import { announced, whileRunning } from '../signals.ts'
import { interruptedLine } from '../terminal/messages.ts'
import { showsValues, type Terminal } from '../terminal/output.ts'
import { wantedWorkers } from '../workers/count-workers.ts'
import type { LoadTask } from './load-task.ts'
import { loadNothing, unlessEmptyFile } from './text-files/load-nothing.ts'

/** What is known before the files are opened. */
interface LoadContext extends Pick<LoadTask, 'args' | 'terminal' | 'notify' | 'signal' | 'meter'> {
  readonly request: DatabaseRequest
  /** The connection, if it was begun already. */
  readonly early: EarlyDatabase | undefined
}

/** Opens files and the database, and loads the rows. */
export async function loadFiles(files: readonly string[], context: LoadContext): Promise<void> {
  const { args, terminal, notify, signal, meter, request, early } = context
  const spool = new Spool()
  const repairs = new Repairs()
  const lookOptions = sourceOptionsOf(context, spool)
  const loadOptions = { ...lookOptions, repairs, onOpen: meter.add }
  const withDatabase: WithDatabase = async (connections, work) => {
    const database = await (early?.take() ?? openDatabase({ ...request, connections }))
    try {
      await work(database)
    } finally {
      await announced({ signal, notify, doing: 'closing the connections' }, () => database.close())
    }
  }
  try {
    const source = await openStoppable(files, loadOptions, args, terminal, signal).catch(error =>
      unlessEmptyFile(error, files, args),
    )
    if (!source)
      return await withDatabase(1, database =>
        loadNothing(files[0]!, database, { args, notify, signal }, terminal),
      )
    const reopen = () => openSources(files, lookOptions)
    const readAgain = () => {
      meter.restart()
      repairs.clear()
      return openSources(files, loadOptions)
    }
    const input = { source, reopen, readAgain, meter, repairs, args, terminal, notify, signal }
    await loadSource(input, withDatabase)
  } finally {
    await spool.close()
  }
}

/** Opens a database with so many connections for the work, and closes it. */
type WithDatabase = (connections: number, work: (database: Database) => Promise<void>) => Promise<void>

/** Loads the rows of an open source. */
async function loadSource(input: Omit<LoadTask, 'database'>, withDatabase: WithDatabase): Promise<void> {
  const { source, args, notify } = input
  try {
    const needless = needlessOption(source.format, args)
    if (needless) throw usageError(`${source.name}: ${needless}`)
    for (const note of source.notes) notify(note)
    const connections = connectionsOf({ ...args, evolve: args.evolve === true && !source.header }) + 1
    await withDatabase(connections, async database => {
      // loaded now, since the server still looks the table up
      const { loadIntoTable } = await import('./load-into-table.ts')
      await loadIntoTable({ ...input, database })
    })
  } finally {
    source.rows.destroy()
  }
}

/** Returns how the files are read. */
function sourceOptionsOf({ args, terminal, meter }: LoadContext, spool: Spool): SourceOptions {
  return {
    format: args.replay ? 'ndjson' : args.format,
    encoding: args.encoding,
    dialect: dialectOf(args),
    judgesHeader: args.create ?? false,
    batchRows: batchLimitsOf(args).rows,
    csvBatch: batchLimitsOf(args, wantedWorkers(args, meter)),
    keepsMalformed: keepsRejects(args),
    lenient: args.lenient,
    skipLines: args.skipLines,
    headerLines: args.headerLines,
    expectedWidth: args.columns?.length,
    fitsHeader: (args.create ?? false) && !args.strictHeader,
    strictHeader: args.strictHeader,
    hasDecimalCommas: args.decimalSeparator === ',',
    recordPath: args.recordPath,
    spool,
    ...(args.files.includes('-') ? { stdin: terminal.stdin } : {}),
    ...(args.infer === 'all' || args.resume !== undefined ? { reopened: true } : {}),
  }
}

/** Opens the input. The signal ends the wait for the first bytes of standard input. */
async function openStoppable(
  files: readonly string[],
  options: SourceOptions,
  args: LoadArguments,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Sources> {
  let opened: Readable | undefined
  const stop = () => opened?.on('error', () => {}).destroy(interruptedError(interruptedLine(args.table)))
  const onOpen = (raw: Readable): void => {
    opened = raw
    options.onOpen?.(raw)
    if (signal.aborted) stop()
  }
  try {
    return await whileRunning(signal, stop, () => openSources(files, { ...options, onOpen }))
  } catch (error) {
    throw explain(error, args, showsValues(terminal, args))
  }
}
