import { randomUUID } from 'node:crypto'
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { visibleLines } from '../terminal/visible.ts'
import type { LoadCounts } from './load-counts.ts'
import { codeOf } from './reject-reasons.ts'
import { LINE_INTERVAL_MS, type LoadEnd, type LoadTitle, type Watcher } from './watcher.ts'

/**
 * Keeps a file of Prometheus metrics, for the textfile collector of node_exporter. The file is replaced as a
 * whole, so that no reader sees half of it. If it cannot be written, this is reported once and the load
 * continues.
 */
export function metricsFileWatcher(path: string, note: (line: string) => void): Watcher {
  const rejects = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let title: LoadTitle
  let writing: Promise<void> = Promise.resolve()
  let complained = false
  const write = (counts: LoadCounts, end?: LoadEnd): Promise<void> => {
    const text = metricsText(title, counts, rejects, end?.outcome)
    writing = writing
      .then(() => replaceFile(path, text))
      .catch(error => {
        const { code, message } = error as NodeJS.ErrnoException
        if (!complained) note(`${path}: metrics cannot be written (${code ?? message})`)
        complained = true
      })
    return writing
  }
  return {
    begin(args, counts) {
      title = args
      void write(counts())
      timer = setInterval(() => void write(counts()), LINE_INTERVAL_MS)
    },
    retry() {},
    reject(error) {
      rejects.set(codeOf(error), (rejects.get(codeOf(error)) ?? 0) + 1)
    },
    note() {},
    end(end) {
      clearInterval(timer)
      return write(end.counts, end)
    },
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const present = await stat(path).catch(() => undefined)
  // /dev/null and /dev/stdout would be replaced for everyone, where root runs the command
  if (present && !present.isFile()) throw new Error('it is not a regular file')
  // a symbolic link at `path` is replaced, not followed; the random name cannot be planted
  const next = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(next, text, { flag: 'wx' })
    await rename(next, path)
  } catch (error) {
    await rm(next, { force: true })
    throw error
  }
}

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export function metricsText(
  { source, table }: LoadTitle,
  counts: LoadCounts,
  rejects: ReadonlyMap<string, number>,
  outcome: LoadEnd['outcome'] | undefined,
): string {
  const labels = { table, source }
  const lines: string[] = []
  const metric = (name: string, kind: 'counter' | 'gauge', help: string, samples: Sample[]): void => {
    lines.push(`# HELP pg_batch_${name} ${help}`, `# TYPE pg_batch_${name} ${kind}`)
    for (const [value, extra] of samples) {
      lines.push(`pg_batch_${name}${labelText({ ...labels, ...extra })} ${value}`)
    }
  }
  metric('rows_read_total', 'counter', 'Rows taken from the input.', [[counts.rowsRead]])
  metric('rows_committed_total', 'counter', 'Rows committed.', [[counts.rowsCommitted]])
  metric('rows_unchanged_total', 'counter', 'Rows sent that changed nothing.', [[counts.rowsUnchanged]])
  metric('rows_skipped_total', 'counter', 'Rows that an earlier run had written.', [[counts.rowsSkipped]])
  metric(
    'rows_rejected_total',
    'counter',
    'Rows rejected, by SQLSTATE.',
    rejects.size === 0 ? [[0, { code: '' }]] : [...rejects].map(([code, n]) => [n, { code }]),
  )
  metric('transactions_total', 'counter', 'Transactions committed.', [[counts.transactions]])
  metric('retries_total', 'counter', 'Transient failures.', [[counts.retries]])
  metric('input_bytes_total', 'counter', 'Bytes of the input read.', [[counts.bytesRead]])
  metric('input_committed_bytes_total', 'counter', 'Bytes of the input whose rows are settled.', [
    [counts.bytesCommitted],
  ])
  if (counts.bytesTotal !== undefined) {
    metric('input_size_bytes', 'gauge', 'Bytes of the whole input.', [[counts.bytesTotal]])
  }
  metric('sent_bytes_total', 'counter', 'Bytes of row data sent.', [[counts.bytesSent]])
  metric('connections', 'gauge', 'Connections in use.', [[counts.connections]])
  metric('running', 'gauge', '1 while the load runs.', [[outcome === undefined ? 1 : 0]])
  metric('succeeded', 'gauge', '1 once the load has ended well.', [[outcome === 'done' ? 1 : 0]])
  return `${lines.join('\n')}\n`
}

type Sample = readonly [value: number, extra?: Record<string, string>]

function labelText(labels: Record<string, string>): string {
  const escaped = (text: string) =>
    visibleLines(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`
}
