import { PgBatchError } from '../../errors.ts'
import { quoteTable } from '../../table/identifier.ts'
import type { Conflict } from '../../table/merge/conflict.ts'
import { MAX_TABLE_COLUMNS } from '../../table/merge/merge.ts'
import type { Table } from '../../types.ts'
import { resolveConflict } from '../conflict/resolve-conflict.ts'

/** How all rows of a table are replaced. */
export interface ReplacementPlan {
  /** The unique indexes by which new rows may be compared with stored ones, the primary key first. */
  readonly keys: readonly { readonly index: string; readonly conflict: Conflict }[]
  readonly isPartitioned: boolean
  /** Written columns that UPDATE cannot set. */
  readonly fixed: readonly string[]
}

/** Rows are staged as for a merge. How they are merged is decided at the end. */
export const NO_CONFLICT: Conflict = Object.freeze({
  arbiter: '',
  action: 'update',
  keys: [],
  equals: [],
  nullsNotDistinct: false,
  equalNulls: [],
  columnCount: 0,
  inOrder: true,
  oneByOne: false,
  severalKeys: true,
  lateKeys: false,
  foldable: false,
  uniqueDefaults: true,
  updateOnly: false,
  update: [],
  computed: [],
  onlyIfChanged: false,
})

/**
 * Plans how all rows of a table are replaced.
 * @throws PgBatchError for a table whose rows are not its own, or not all visible
 */
export function planReplacement(table: Table | undefined, written: readonly string[]): ReplacementPlan {
  if (!table) throw refused('`replace` needs the catalogue of PostgreSQL, which this database lacks')
  const name = quoteTable(table)
  if (table.kind === 'view' || table.kind === 'foreign') {
    throw refused(
      `${name} is a ${table.kind === 'view' ? 'view' : 'foreign table'}: \`replace\` needs a table`,
    )
  }
  if (table.isCitus) throw refused(`${name} is a table of Citus, whose rows \`replace\` cannot replace`)
  if (table.copyObstacle === 'row-level security') throw refused(hiddenRowsReason(name))
  if (table.copyObstacle || table.hasRules) {
    throw refused(`${name} has rules, which \`replace\` cannot follow`)
  }
  if (written.length + 2 > MAX_TABLE_COLUMNS) {
    throw refused(`${name} has too many columns for \`replace\`: write at most ${MAX_TABLE_COLUMNS - 2}`)
  }
  const keys = table.uniqueKeys
    .filter(
      key => key.immediate && !key.nullsNotDistinct && key.columns.every(column => written.includes(column)),
    )
    .map(({ index, columns }) => ({
      index,
      conflict: resolveConflict({ target: columns, action: 'update' }, written, table, false),
    }))
  const fixed = table.columns.filter(({ identity }) => identity === 'kept').map(column => column.name)
  return { keys, isPartitioned: table.kind === 'partitioned', fixed }
}

/** @param name the table, quoted */
export function hiddenRowsReason(name: string): string {
  const hint = 'write as the owner of the table, or as a role with BYPASSRLS'
  return `Row-level security hides rows of ${name} from this role, which \`replace\` would keep: ${hint}`
}

function refused(reason: string): PgBatchError {
  return new PgBatchError('REFUSED', reason, { outcome: 'not-sent' })
}
