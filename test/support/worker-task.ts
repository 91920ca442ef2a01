import type { WorkerTask } from '../../lib/cli/workers/messages.ts'

const FORMAT = { delimiter: ',', quote: '"', escape: '"', nulls: [''] }

/** Returns a task for a worker: it writes records of one field into the column id of a table t. */
export function workerTask(options: Pick<WorkerTask, 'connection' | 'patienceMs'>): WorkerTask {
  return {
    ...options,
    table: { schema: 'public', name: 't' },
    described: undefined,
    identity: undefined,
    onConflict: undefined,
    csv: { format: FORMAT, fields: ['id'] },
    rows: {
      format: FORMAT,
      header: ['id'],
      longDelimiter: undefined,
      pairs: undefined,
      commaColumns: new Set(),
    },
    refuses: false,
    rejectLimit: 0,
    rejectCounter: new Int32Array(new SharedArrayBuffer(4)),
    deadLetter: undefined,
    checkpoint: undefined,
  }
}
