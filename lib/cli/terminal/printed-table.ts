import { createRequire } from 'node:module'
import type CliTable from 'cli-table3'
import type { TableConstructorOptions } from 'cli-table3'

/** An empty table for a terminal or a log. What makes it is loaded here, since most loads that scripts start print none. */
export function printedTable(options: TableConstructorOptions): CliTable.Table {
  const Table = createRequire(import.meta.url)('cli-table3') as typeof CliTable
  return new Table(options)
}
