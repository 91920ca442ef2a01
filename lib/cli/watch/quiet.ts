import type { Watcher } from './watcher.ts'

/** Nobody looks on. */
export const quietWatcher: Watcher = {
  begin() {},
  retry() {},
  reject() {},
  note() {},
  end() {},
}
