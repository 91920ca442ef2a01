import type { PgBatchError } from '../../errors.ts'
import { visibleJson } from '../terminal/visible.ts'
import type { LoadCounts } from './load-counts.ts'
import { codeOf } from './reject-reasons.ts'
import { LINE_INTERVAL_MS, type Watcher } from './watcher.ts'

/** Writes `--log json`: one object a line, for programs. It never contains the values of a row. */
export function jsonWatcher(write: (line: string) => void): Watcher {
  let timer: NodeJS.Timeout | undefined
  const log = (event: string, fields: object): void => write(jsonLine(event, fields))
  return {
    begin(title, counts) {
      log('start', { ...title, bytesTotal: counts().bytesTotal })
      timer = setInterval(() => log('progress', rounded(counts())), LINE_INTERVAL_MS)
    },
    retry: ({ error, attempt, delayMs }) =>
      log('retry', { attempt, delayMs, ...faultOf(error), message: error.message }),
    reject: (error, row, file) => log('reject', { row, file, ...faultOf(error) }),
    note: message => log('note', { message }),
    end({ counts, reasons, repairs, outcome, error }) {
      clearInterval(timer)
      log('end', { outcome, error, ...rounded(counts), reasons, ...(repairs?.length ? { repairs } : {}) })
    },
  }
}

/** Returns an event as a line of JSON. Texts that are too long to read are shortened. */
export function jsonLine(event: string, fields: object): string {
  return visibleJson({ time: new Date().toISOString(), event, ...fields })
}

function rounded(counts: LoadCounts): LoadCounts {
  return { ...counts, elapsedMs: Math.round(counts.elapsedMs) }
}

function faultOf(error: PgBatchError): object {
  const { column, constraint } = error
  return { code: codeOf(error), column, constraint }
}
