import type { Writable } from 'node:stream'
import type { Table } from '../../types.ts'
import { patienceMsOf } from '../load/file-patience.ts'
import type { LoadPlan } from '../load/load-plan.ts'
import { REJECTS_TABLE } from '../rejects/rejects-file.ts'
import { distributeByRow, distributeInTurn } from '../resume/distribution.ts'
import type { Resume } from '../resume/resume.ts'
import type { WorkerTask } from './messages.ts'
import { type WorkersOptions, WorkersWritable } from './workers-writable.ts'

export interface OpenWorkersOptions extends Pick<WorkersOptions, 'onPart' | 'deadLetter' | 'gracefulSignal'> {
  readonly workers: number
  readonly resume: Resume | undefined
  readonly rejectLimit: number
  /** The table, if nothing has changed it since it was introspected. */
  readonly described: Table | undefined
}

/** Starts the workers of a plan whose records are written from their bytes. */
export function openWorkers(
  { records, database, table, args, writing, meter }: LoadPlan,
  { workers, resume, rejectLimit, described, onPart, deadLetter, gracefulSignal }: OpenWorkersOptions,
): WorkersWritable {
  const { rows, csv, toRow } = records!
  const { format, fields } = csv!
  const task: Omit<WorkerTask, 'checkpoint'> = {
    connection: database.config,
    table: { schema: table.schema, name: table.name },
    described,
    identity: args.identity,
    onConflict: writing.onConflict as WorkerTask['onConflict'],
    patienceMs: patienceMsOf({ meter }),
    csv: { format, fields },
    rows,
    refuses: toRow !== undefined,
    rejectLimit,
    rejectCounter: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
    deadLetter: deadLetterOf(deadLetter, args.rejects),
  }
  return new WorkersWritable({
    tasks: Array.from({ length: workers }, (_, worker) => ({
      ...task,
      checkpoint: resume?.checkpoints[worker],
    })),
    distribute: resume ? distributeByRow(resume.distribution, resume.placeOf) : distributeInTurn(workers),
    placeOf: resume?.placeOf,
    onPart,
    toRow,
    deadLetter,
    gracefulSignal,
  })
}

/** A load that may be killed and run again must neither lose nor repeat a rejected row. */
function deadLetterOf(stream: Writable | undefined, file: string | undefined): WorkerTask['deadLetter'] {
  if (stream) return 'main thread'
  return file === undefined ? undefined : { table: REJECTS_TABLE, file }
}
