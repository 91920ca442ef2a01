import type { Writable } from 'node:stream'
import type { PgTransactionClient } from '../../connection/pg-transaction-client.ts'
import type { RecordTable } from '../../csv/record-table.ts'
import type { SourceRow } from '../../sources/rows.ts'
import type { Stats, Table } from '../../types.ts'
import type { PgBatchWritableEvents } from '../../writable/events.ts'
import type { CheckpointOptions } from '../../writable/options/checkpoint-options.ts'
import { PgBatchWritable } from '../../writable/pg-batch-writable.ts'
import type { BeforeCommit } from '../../write/write-context.ts'
import { connectionsOf } from '../arguments/run-options.ts'
import { REJECTS_TABLE, withBytesAsText } from '../rejects/rejects-file.ts'
import type { Resume } from '../resume/resume.ts'
import { openWorkers } from '../workers/open-workers.ts'
import { patienceMsOf } from './file-patience.ts'
import type { LoadInput } from './load-input.ts'
import type { LoadPlan, Trial } from './load-plan.ts'

/** What rows are written to: a stream of this thread, or one that hands them to workers. */
export interface LoadSink extends Writable {
  readonly stats: Readonly<Stats>
  /** True if rows that are counted as pending may be committed. Final once the sink is closed. */
  readonly mayHaveCommittedMore: boolean
  on<Name extends keyof PgBatchWritableEvents>(
    name: Name,
    listener: (...args: PgBatchWritableEvents[Name]) => void,
  ): this
}

export interface SinkOptions {
  readonly input: LoadInput
  readonly resume: Resume | undefined
  readonly workers: number
  /** The server has not lost commits since the table was introspected. */
  readonly isFirstPass: boolean
  readonly rejectLimit: number
  /** Takes rejected rows. Undefined: they go through a table to their file, or nowhere. */
  readonly deadLetter: Writable | undefined
  /** Called with the records of each batch of a worker. */
  readonly onPart: (records: RecordTable) => void
  /** The load's input has ended with its last row. */
  readonly isWhole: () => boolean
  readonly beforeCommit: BeforeCommit
  /** Ends the sink soon, see `LoaderOptions`. */
  readonly gracefulSignal: AbortSignal
}

/** Opens what the rows of a plan are written to. */
export function openSink(plan: LoadPlan, options: SinkOptions): LoadSink {
  const { args, table, trial } = plan
  const isAsFound = options.isFirstPass && !(args.create || args.evolve || args.identity || trial)
  const described = isAsFound ? table : undefined
  return options.workers > 1
    ? openWorkers(plan, { ...options, described })
    : openStream(plan, options, described)
}

function openStream(
  { args, database, table, trial, writing, meter }: LoadPlan,
  { input, resume, rejectLimit, deadLetter, isWhole, beforeCommit, gracefulSignal }: SinkOptions,
  described: Table | undefined,
): LoadSink {
  const { evolve } = writing
  const refersToItself = table.selfReferences.length > 0
  const keepsInTable = args.rejects !== undefined && !trial
  return new PgBatchWritable<unknown, SourceRow>({
    ...input.writing,
    pool: database.pool,
    table: { schema: table.schema, name: table.name },
    described,
    identity: args.identity,
    ...(trial ? trialOptions(trial) : {}),
    concurrency: trial || refersToItself ? 1 : connectionsOf({ ...args, evolve: evolve !== undefined }),
    patienceMs: patienceMsOf({ meter }),
    ...(refersToItself && !trial ? { awaitsParents: isWhole } : {}),
    rejectLimit,
    gracefulSignal,
    // a load that may be killed and run again must neither lose nor repeat a rejected row
    deadLetter: deadLetter ?? (keepsInTable ? { table: REJECTS_TABLE, file: args.rejects } : undefined),
    rejectedItem: item => withBytesAsText(input.rowOf(item)),
    checkpoint: resume && checkpointOf(resume, input),
    ...(args.singleTransaction ? { singleTransaction: true, beforeCommit } : {}),
    ...(args.replace ? { replace: { minRows: 0 } } : {}),
  })
}

function checkpointOf({ checkpoint }: Resume, { numberOf }: LoadInput): CheckpointOptions<unknown> {
  return { ...checkpoint, position: item => checkpoint.position({ number: numberOf(item) }) }
}

/**
 * Everything is one transaction, which is rolled back. The writer adds no columns: it would add them before
 * that transaction.
 */
function trialOptions({ begin }: Trial) {
  const runAll = async (client: PgTransactionClient): Promise<void> => {
    for (const sql of begin) await client.query(sql)
  }
  return {
    singleTransaction: true,
    rollsBack: true,
    evolve: undefined,
    ...(begin.length > 0 ? { onBegin: runAll } : {}),
  }
}
