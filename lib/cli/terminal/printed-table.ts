import { createRequire } from 'node:module'
import type CliTable from 'cli-table3'
import type { TableConstructorOptions } from 'cli-table3'
import { glyphs } from './glyphs.ts'

/**
 * Returns an empty table for a terminal or a log. The package is loaded here, because most loads of scripts
 * print no table.
 */
export function printedTable(options: TableConstructorOptions): CliTable.Table {
  const Table = createRequire(import.meta.url)('cli-table3') as typeof CliTable
  return new Table(glyphs.lines ? { ...options, chars: glyphs.lines } : options)
}
