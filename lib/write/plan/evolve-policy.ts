import { PgBatchError } from '../../errors.ts'
import { quoteTable } from '../../table/identifier.ts'
import type { Table } from '../../types.ts'

/** How a stream may change its table: the option `evolve`, checked and with its defaults. */
export interface EvolvePolicy {
  readonly addColumns: boolean
  readonly widenTypes: boolean
  /** How many columns the stream may add in total. */
  readonly maxNewColumns: number
  /** How long one attempt waits for locks. */
  readonly lockTimeoutMs: number
}

/** @throws PgBatchError for a table that ALTER TABLE does not change as the option `evolve` needs it */
export function expectAlterable(table: Table | undefined): void {
  if (table?.kind === 'table' || table?.kind === 'partitioned') return
  const what = table ? `${quoteTable(table)} is a ${NAMES[table.kind]}` : 'this database has no catalogue'
  const advice = 'leave out `evolve`, or write to a table of PostgreSQL'
  throw new PgBatchError('REFUSED', `\`evolve\` alters tables, but ${what}: ${advice}`, {
    outcome: 'not-sent',
  })
}

const NAMES = { view: 'view', foreign: 'foreign table' } as Readonly<Record<Table['kind'], string>>
