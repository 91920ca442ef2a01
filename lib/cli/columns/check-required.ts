import { shellWord } from '../../sources/shell-word.ts'
import { quoteIdentifier, quoteTable } from '../../table/identifier.ts'
import type { Column, Table } from '../../types.ts'
import { listNames } from '../../values/names/list-names.ts'
import type { LoadArguments } from '../arguments/arguments.ts'
import { dataError } from '../exit-error.ts'
import type { ColumnChoice } from './choose-columns.ts'

/**
 * Checks that the file has each column that a row needs: NOT NULL, and without a DEFAULT. The server would
 * refuse every row. JSON rows name their keys one by one.
 */
export function checkRequired(
  args: Pick<LoadArguments, 'columns' | 'onConflict' | 'onConflictDo' | 'updateOnly'>,
  table: Table,
  { columns }: Pick<ColumnChoice, 'columns'>,
  source: string,
): void {
  if (!columns || args.updateOnly || mayBeFilled(table)) return
  const lacking = table.columns.filter(column => isRequired(column) && !columns.includes(column.name))
  const [first] = lacking
  if (!first) return
  const names = listNames(lacking.map(({ name }) => `"${name}"`))
  const who = args.columns ? '--columns leaves out' : `${source}: no column of the file goes to`
  const [are, it] = lacking.length === 1 ? ['is NOT NULL and has', 'it'] : ['are NOT NULL and have', 'them']
  const name = args.columns
    ? `name ${it} there`
    : `--map NAME=${shellWord(first.name)} names its column in the file`
  const byDefault = `ALTER TABLE ${quoteTable(table)} ALTER ${quoteIdentifier(first.name)} SET DEFAULT …`
  const upserts = args.onConflict !== undefined && args.onConflictDo !== 'nothing'
  const update = upserts ? ', or write only rows that are there, with --update-only' : ''
  throw dataError(
    `${who} ${names}, which ${are} no DEFAULT in ${table.name}: it would refuse every row; ` +
      `${name}, or give ${it} a DEFAULT (${byDefault})${update}`,
  )
}

/** A trigger, a rule, or another server may fill in what the rows lack. */
function mayBeFilled({ kind, changesRows, copyObstacle }: Table): boolean {
  return (kind !== 'table' && kind !== 'partitioned') || changesRows || copyObstacle === 'rules'
}

function isRequired({ notNull, hasDefault, generated, identity }: Column): boolean {
  return notNull && !hasDefault && !generated && identity === 'none'
}
