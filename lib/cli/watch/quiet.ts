import type { Watcher } from './watcher.ts'

/** Prints nothing. */
export const quietWatcher: Watcher = {
  begin() {},
  retry() {},
  reject() {},
  note() {},
  end() {},
}
