import { availableParallelism } from 'node:os'
import type { LoadArguments } from '../arguments/arguments.ts'
import { connectionsOf } from '../arguments/run-options.ts'
import type { InputMeter } from '../files/input-meter.ts'
import type { LoadPlan } from '../load/load-plan.ts'

/**
 * How many workers there are by default. Two take a fifth more CPU than one thread, so that there have to be
 * so many cores. More of them are worth a try where the server has many cores of its own.
 */
const DEFAULT_WORKERS = 4

/** The start of the threads has to be worth it: each takes some 60 ms of CPU before its first row. */
const MIN_BYTES = 128 * 1024 * 1024

type Planned = Pick<LoadPlan, 'records' | 'source' | 'table' | 'trial' | 'args' | 'meter'>

/** Returns how many threads encode and write. One, where several cannot write these rows. */
export function countWorkers(plan: Planned): number {
  return whyOneWorker(plan) === undefined ? wantedWorkers(plan.args, plan.meter) : 1
}

/**
 * Returns how many threads are to write, if the rows are records of CSV that several can write. One, where
 * there is one transaction, and, unless --workers asks for more, where the order of rows decides what is
 * stored, and for small files and pipes.
 */
export function wantedWorkers(args: LoadArguments, meter: InputMeter): number {
  if (args.dryRun || args.singleTransaction) return 1
  if (args.workers !== undefined) return args.workers
  const isLarge = meter.bytesTotal !== undefined && meter.bytesTotal >= MIN_BYTES
  const { resume: _, ...others } = args
  const isOrdered = args.concurrency !== undefined || connectionsOf(others) === 1
  return isLarge && !isOrdered && availableParallelism() >= DEFAULT_WORKERS ? DEFAULT_WORKERS : 1
}

/** Returns why several workers cannot write these rows. */
export function whyOneWorker({ records, source, table, trial, args }: Planned): string | undefined {
  if (trial) return 'a dry run is one transaction'
  if (args.singleTransaction) return 'there is one transaction'
  if (!records) return `workers read records of CSV, and these rows are ${source.format}`
  if (!records.csv) return `${table.name} does not take the bytes of records by COPY`
  if (table.selfReferences.length > 0) return `rows of ${table.name} may refer to later ones`
  return undefined
}
