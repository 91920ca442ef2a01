import type { RunArguments } from '../arguments/run-options.ts'
import type { Output } from '../terminal/output.ts'
import { cut } from '../terminal/visible.ts'
import { jsonLine } from './json-log.ts'

/** Returns what prints lines before a watcher starts. */
export function chooseNotify(args: RunArguments, output: Output): (line: string) => void {
  if (args.quiet) return () => {}
  return args.log === 'json'
    ? message => output.note(jsonLine('note', { message }))
    : line => output.note(cut(line))
}
