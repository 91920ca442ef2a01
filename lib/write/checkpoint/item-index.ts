import { queryText } from '../../connection/query-text.ts'
import { isServerError } from '../../connection/server-error.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'
import { PgBatchError } from '../../errors.ts'
import { addItemIndex, hasItemIndex } from '../../table/checkpoint-sql.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'

const INSUFFICIENT_PRIVILEGE = '42501'

/**
 * Adds the column for indexes of items to a table of checkpoints that an earlier version has created. It does
 * so before the transaction begins where it can, so that the lock on the table is short.
 * @returns true if the table had the column; one that was added here may be rolled back with the transaction
 */
export async function ensureItemIndex(transaction: Transaction, table: TableParts): Promise<boolean> {
  const run = (text: string) =>
    transaction.state === 'fresh'
      ? transaction.answers.statement(queryText(transaction.lease.client, text))
      : transaction.query(text)
  const { rows } = await run(hasItemIndex(table))
  if (rows[0]!.there === 'true') return true
  try {
    await run(addItemIndex(table))
  } catch (error) {
    throw isServerError(error) && error.code === INSUFFICIENT_PRIVILEGE ? notOwner(table, error) : error
  }
  return false
}

function notOwner(table: TableParts, cause: unknown): PgBatchError {
  const reason =
    `Positions with an \`index\` need the column item_index of the table ${quoteTable(table)}. An earlier ` +
    'version created the table without it, and this role may not add it. ' +
    `Run as the table's owner: ${addItemIndex(table)}`
  return new PgBatchError('REFUSED', reason, {
    outcome: 'rolled-back',
    sqlState: INSUFFICIENT_PRIVILEGE,
    cause,
  })
}
