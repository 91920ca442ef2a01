import { timedLoad } from '../support/timed-load.ts'
import { WAYS, type Way } from './ways.ts'

export interface Task {
  readonly connectionString: string
  readonly way: Way
  readonly rows: number
}

/** Rows a second. */
export function measure({ connectionString, way, rows }: Task): Promise<number> {
  return timedLoad(connectionString, rows, WAYS[way])
}
