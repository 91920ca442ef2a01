import type { Readable } from 'node:stream'
import { Spool } from '../../sources/input/spool.ts'
import type { SourceOptions } from '../../sources/open-source.ts'
import { openSources, type Sources } from '../../sources/open-sources.ts'
import { Repairs } from '../../sources/repairs.ts'
import type { LoadArguments } from '../arguments/arguments.ts'
import { dialectOf, needlessOption } from '../arguments/input-arguments.ts'
import { batchRowsOf, connectionsOf, keepsRejects } from '../arguments/run-options.ts'
import { chooseDatabase, type Database, openDatabase } from '../database/database.ts'
import { EarlyDatabase } from '../database/early-database.ts'
import { interruptedError, usageError } from '../exit-error.ts'
import { expandFiles } from '../files/expand-files.ts'
import { InputMeter } from '../files/input-meter.ts'
import { checkRejectsFile } from '../rejects/rejects-file.ts'
import { explain } from '../report/explain.ts'
import { explainSample } from '../report/explain-load.ts'
import { announced, whileRunning } from '../signals.ts'
import { interruptedLine } from '../terminal/messages.ts'
import { showsValues, type Terminal } from '../terminal/output.ts'
import { chooseNotify } from '../watch/choose-watchers.ts'
import { loadIntoCreated } from './load-into-created.ts'
import { loadIntoExisting } from './load-into-existing.ts'
import type { LoadTask } from './load-task.ts'
import { loadNothing, unlessEmptyFile } from './text-files/load-nothing.ts'

/** Loads files into one table and prints one line about it. */
export async function load(args: LoadArguments, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const notify = chooseNotify(args, terminal)
  if (args.files.includes('-') && terminal.stdin.isTTY) {
    notify('Reading rows from the terminal; Ctrl-D ends them.')
  }
  // an embedded server is started once the input is open: a wrong file name should not cost that
  const { files, notes } = await expandFiles(args.files)
  const destination = { url: args.database, embedded: args.embedded, env: terminal.env }
  chooseDatabase(destination, terminal.env) // checked before standard input is read
  if (args.rejects !== undefined) await checkRejectsFile(args.rejects, files)
  for (const note of notes) notify(note)
  const meter = await InputMeter.of(files)
  const spool = new Spool()
  const repairs = new Repairs()
  const lookOptions = sourceOptionsOf(args, spool, terminal)
  const loadOptions = { ...lookOptions, repairs, onOpen: meter.add }
  const request = { ...destination, connections: connectionsOf(args) + 1, notify, signal }
  // a pipe may be silent for long, and the columns of --evolve may come from a header
  const connectsEarly = !args.embedded && !args.evolve && meter.bytesTotal !== undefined
  const early = connectsEarly ? new EarlyDatabase(request, args.table) : undefined
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
    await early?.abandon()
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
      const task = { ...input, database }
      await (args.create ? loadIntoCreated(task) : loadIntoExisting(task)).catch(error => {
        throw explainSample(error, { args, format: source.format })
      })
    })
  } finally {
    source.rows.destroy()
  }
}

/** Returns how the files are read. */
function sourceOptionsOf(args: LoadArguments, spool: Spool, terminal: Terminal): SourceOptions {
  return {
    format: args.replay ? 'ndjson' : args.format,
    encoding: args.encoding,
    dialect: dialectOf(args),
    judgesHeader: args.create ?? false,
    batchRows: batchRowsOf(args),
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
  const stop = () => opened?.on('error', () => {}).destroy(interruptedError(interruptedLine(args.table, 0)))
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
