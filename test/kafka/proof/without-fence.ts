import { withPatchedCopy } from '../../support/patched-copy.ts'
import { SINK_PATHS } from './member.ts'

/** The fence of exactly-once: what is at or below the stored offset is not written again. */
const FENCE = {
  file: 'lib/write/checkpoint/checkpoint.ts',
  from: 'if (highest !== undefined && order <= highest) return false',
  to: '',
}

/** Calls `work` with the folder of a library that has no fence. */
export function withoutFence<T>(work: (root: string) => Promise<T>): Promise<T> {
  return withPatchedCopy(SINK_PATHS, FENCE, work)
}
