import type { Tone } from '../../support/chart.ts'
import type { Column } from '../../support/table.ts'
import type { BenchTable, Row } from '../../support/tables/bench-table.ts'
import type { Write } from '../../support/timed-load.ts'

/** The same rows in files, as the server itself wrote them. */
export interface RowFiles {
  readonly csv: string
  readonly text: string
  readonly binary: string
}

export interface WayContext {
  readonly connectionString: string
  readonly table: BenchTable
  readonly files: RowFiles
  /** The program that writes by tokio-postgres; undefined where that is not measured. */
  readonly tokioPostgres?: string | undefined
}

/** A client that is open, its connections included. */
export interface OpenWay {
  readonly write: Write<Row>
  close?(): Promise<void>
}

/** One way to get rows into a table. */
export interface Way {
  readonly tone: Tone
  /** What it starts from: objects in memory, or a file whose bytes are made. */
  readonly from: 'objects' | 'files'
  /** The part of the rows that it writes: a slow way's rate needs no million. @default 1 */
  readonly share?: number
  /** The columns that it can write, where those are not all of the table's. */
  readonly columns?: (table: BenchTable) => readonly Column[]
  open(context: WayContext): Promise<OpenWay>
}

/** A way that needs nothing but the pool that the bench has opened. */
export function throughPool(
  write: (table: BenchTable) => Write<Row>,
  rest: { tone: Tone; share?: number; columns?: (table: BenchTable) => readonly Column[] },
): Way {
  return { from: 'objects', open: async ({ table }) => ({ write: write(table) }), ...rest }
}
