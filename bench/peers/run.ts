import type { BenchTable } from '../support/tables/bench-table.ts'
import { TABLES, type TableName } from '../support/tables/index.ts'
import { type LoadSample, measureLoad } from '../support/timed-load.ts'
import type { RowFiles, Way } from './ways/way.ts'
import { WAYS, type WayName } from './ways.ts'

export interface PeerTask {
  readonly connectionString: string
  readonly way: WayName
  readonly table: TableName
  readonly rows: number
  readonly files: RowFiles
  readonly tokioPostgres?: string | undefined
}

export async function measure({
  connectionString,
  way: name,
  table: tableName,
  rows: count,
  files,
  tokioPostgres,
}: PeerTask): Promise<LoadSample> {
  const table: BenchTable = TABLES[tableName]
  const way: Way = WAYS[name]
  const { write, close } = await way.open({ connectionString, table, files, tokioPostgres })
  try {
    return await measureLoad({
      connectionString,
      count,
      rows: way.from === 'objects' ? table.rows(count) : [],
      write,
      columns: way.columns?.(table) ?? table.columns,
      key: table.key,
    })
  } finally {
    await close?.()
  }
}
