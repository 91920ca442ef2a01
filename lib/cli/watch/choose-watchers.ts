import type { RunArguments } from '../arguments/run-options.ts'
import type { Terminal } from '../terminal/output.ts'
import { cut } from '../terminal/visible.ts'
import { barWatcher } from './bar.ts'
import { jsonWatcher } from './json-log.ts'
import { lineWatcher } from './lines.ts'
import { metricsFileWatcher } from './metrics-file.ts'
import { quietWatcher } from './quiet.ts'
import type { Watcher } from './watcher.ts'

/**
 * Returns the watchers: a bar on a terminal, lines elsewhere, or what the options ask for, and the metrics
 * file.
 */
export function chooseWatchers(args: RunArguments, terminal: Terminal): Watcher {
  const shown = chooseShown(args, terminal)
  if (args.metricsFile === undefined) return shown
  const metrics = metricsFileWatcher(args.metricsFile, line => shown.note(line))
  return both(shown, metrics)
}

function chooseShown(args: RunArguments, terminal: Terminal): Watcher {
  if (args.quiet) return quietWatcher
  if (args.log === 'json') return jsonWatcher(terminal.note)
  return terminal.stderr.isTTY ? barWatcher(terminal.stderr) : lineWatcher(line => terminal.note(cut(line)))
}

function both(one: Watcher, other: Watcher): Watcher {
  return {
    begin(title, counts) {
      one.begin(title, counts)
      other.begin(title, counts)
    },
    retry(event) {
      one.retry(event)
      other.retry(event)
    },
    reject(...rejected) {
      one.reject(...rejected)
      other.reject(...rejected)
    },
    note: line => one.note(line),
    async end(end) {
      await other.end(end)
      await one.end(end)
    },
  }
}
