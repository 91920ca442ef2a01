import { writeByPipeline } from '../support/pipeline.ts'
import { timedLoad } from '../support/timed-load.ts'
import { type MethodName, WRITING } from './methods.ts'

export interface GridTask {
  readonly connectionString: string
  readonly method: MethodName
  readonly batchRows: number
  readonly concurrency: number
  readonly rows: number
}

/** Rows a second. */
export function measure({
  connectionString,
  method,
  batchRows,
  concurrency,
  rows,
}: GridTask): Promise<number> {
  const write = writeByPipeline({ maxCount: batchRows }, { ...WRITING[method], concurrency })
  return timedLoad(connectionString, rows, write)
}
