import { createRequire } from 'node:module'
import type { MultiBar, SingleBar } from 'cli-progress'
import { formatCount } from '../../values/format-count.ts'
import { glyphs } from '../terminal/glyphs.ts'
import type { Printer } from '../terminal/output.ts'
import { clock } from '../terminal/units.ts'
import { cut, visible } from '../terminal/visible.ts'
import { etaMs, type LoadCounts, rowsPerSecond, rowsSoFar, shareDone } from './load-counts.ts'
import { retryLine } from './retry-line.ts'
import type { Watcher } from './watcher.ts'

const REDRAW_MS = 200

/** Loads the package only if a bar is drawn: it takes as long as all else of a command without one. */
const cliProgress = () => createRequire(import.meta.url)('cli-progress') as typeof import('cli-progress')

/**
 * Draws a bar at the foot of a terminal and removes it at the end. It does not hide the cursor or switch off
 * line wrapping, because a process that is killed could not undo that.
 */
export function barWatcher(terminal: Printer): Watcher {
  let table = ''
  let timer: NodeJS.Timeout | undefined
  let bars: MultiBar | undefined
  const say = (text: string): void => {
    const line = visible(cut(text))
    if (bars) bars.log(`${line}\n`)
    else terminal.write(`${line}\n`)
  }
  return {
    begin(title, counts) {
      table = title.table
      const format = (_options: unknown, _params: unknown, payload: { counts: LoadCounts }): string =>
        barText(payload.counts, terminal.columns || 80) // 0 if the terminal does not know its width
      bars = new (cliProgress().MultiBar)({
        stream: terminal,
        format: format as never,
        hideCursor: false,
        linewrap: true,
        clearOnComplete: true,
        forceRedraw: true,
        fps: 1000 / REDRAW_MS,
      })
      const bar: SingleBar = bars.create(1, 0, { counts: counts() })
      timer = setInterval(() => bar.update(0, { counts: counts() }), REDRAW_MS)
    },
    retry: event => say(`${table}: ${retryLine(event)}`),
    reject() {},
    note: say,
    end() {
      clearInterval(timer)
      bars?.update() // writes the last lines
      bars?.stop()
      bars = undefined
    },
  }
}

/**
 * Returns `██████░░░░  45%  1,234,567 rows  123,456/s  0:12 left  3 rejected  2 conn`. It is narrower than
 * the terminal.
 */
export function barText(counts: LoadCounts, columns: number): string {
  const share = shareDone(counts)
  const left = etaMs(counts)
  const words = [
    ...(share === undefined ? [] : [`${String(Math.floor(share * 100)).padStart(3)}%`]),
    counts.uncommitted ? rowsSoFar(counts) : `${formatCount(counts.rowsCommitted)} rows`,
    `${formatCount(rowsPerSecond(counts))}/s`,
    ...(left === undefined ? [] : [`${clock(left)} left`]),
    ...(counts.rowsUnchanged > 0 ? [`${formatCount(counts.rowsUnchanged)} unchanged`] : []),
    ...(counts.rowsSkipped > 0 ? [`${formatCount(counts.rowsSkipped)} skipped`] : []),
    `${formatCount(counts.rowsRejected)} rejected`,
    `${counts.connections} conn`,
  ]
  // leaves out the last words if the terminal is narrow
  while (words.length > 2 && words.join('  ').length + MIN_BAR + 3 > columns) words.pop()
  const text = words.join('  ')
  if (share === undefined) return text.slice(0, columns - 1)
  const width = Math.max(MIN_BAR, Math.min(MAX_BAR, columns - text.length - 3))
  const full = Math.round(share * width)
  return `${glyphs.done.repeat(full)}${glyphs.left.repeat(width - full)} ${text}`.slice(0, columns - 1)
}

const MIN_BAR = 10
const MAX_BAR = 40
