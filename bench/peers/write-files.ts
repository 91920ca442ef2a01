import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { to as copyTo } from 'pg-copy-streams'
import { openPool } from '../support/pool.ts'
import { checkCount, makeTable, TABLE } from '../support/table.ts'
import type { BenchTable } from '../support/tables/bench-table.ts'
import { TABLES, type TableName } from '../support/tables/index.ts'
import { ours } from './ways/ours.ts'
import type { RowFiles } from './ways/way.ts'

export interface FilesTask {
  readonly connectionString: string
  readonly table: TableName
  readonly rows: number
  readonly folder: string
}

/** Loads the table once, and has the server write it to a file of each format. */
export async function measure({ connectionString, table: name, rows, folder }: FilesTask): Promise<RowFiles> {
  const table: BenchTable = TABLES[name]
  const files = {
    csv: join(folder, 'rows.csv'),
    text: join(folder, 'rows.txt'),
    binary: join(folder, 'rows.bin'),
  }
  const pool = openPool({ connectionString, max: 1 })
  try {
    await makeTable(pool, { columns: table.columns })
    const { write } = await ours(1).open({ connectionString, table, files })
    await write(pool, table.rows(rows))
    await checkCount(pool, rows, TABLE, table.key)
    const client = await pool.connect()
    try {
      for (const [format, path] of Object.entries(files)) {
        const copy = client.query(copyTo(`COPY ${TABLE} TO STDOUT (FORMAT ${format})`))
        await pipeline(copy, createWriteStream(path))
      }
    } finally {
      client.release()
    }
    return files
  } finally {
    await pool.end()
  }
}
