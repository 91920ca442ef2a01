import { PgBatchError } from '../../errors.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import { CallbackError } from '../faults/failure.ts'
import { type Batch, forgetRows } from '../rows/batch.ts'
import { unchangedOf } from '../rows/row-sender.ts'
import type { RowShape } from '../rows/row-shapes.ts'
import { callInTransaction } from '../transaction/run-transaction.ts'
import type { OpenedTransaction, TransactionWriter } from '../transaction/transaction-writer.ts'
import type { NextBatch, WriteContext } from '../write-context.ts'
import { Pieces, type Rejects } from './pieces.ts'
import { Replacement } from './replacement.ts'

/**
 * How much longer the statements at the end may take, for each row: they work on all rows at once. The server
 * checks foreign keys there, and merges upserts; it does 20 rows and more in that time.
 */
const PATIENCE_MS_PER_ROW = 1

/**
 * Writes the first batch and all that follow, up to the end of the input. What follows is only COMMIT.
 *
 * Without rejects and callbacks the rows travel as one COPY, which the server judges as a whole, as it does
 * with `\copy` of psql: a row may refer to a later one. Upserts are merged once, at the end. Otherwise each
 * batch is completed before the next one; with rejects under a savepoint.
 */
export async function loadAll<Item>(
  writer: TransactionWriter<Item>,
  first: Batch<Item> | undefined,
  next: NextBatch<Item>,
  context: WriteContext<Item>,
): Promise<void> {
  const { signals, keepsItems, budget, inTransaction, replace } = context
  const isOneByOne = budget.left > 0 || inTransaction !== undefined
  const replacement = replace && (await beginReplacement(writer, first, budget.left > 0))
  const pieces = isOneByOne ? new Pieces(writer, rejectsOf(writer, context)) : undefined
  const shapes = new Set<RowShape>()
  for (let batch = first; batch; batch = await nextOf(writer, next)) {
    const written = pieces ? await pieces.add(batch) : await addSent(writer, batch)
    await beginIfFresh(writer)
    await afterBatch(writer, context)
    if (replacement) for (const { shape } of batch.prepared!.groups) shapes.add(shape)
    if (!keepsItems) for (const each of written) forgetRows(each)
    writer.slabs.forget() // the socket may still send them
  }
  signals.stop.throwIfAborted()
  if (!writer.opened) return
  await pieces?.end()
  writer.opened.transaction.answers.patienceMs = writer.items * PATIENCE_MS_PER_ROW
  await writer.opened.rows.close()
  if (replacement) await replaceBy(writer, writer.opened, replacement, [...shapes], context)
  else await approve(writer, writer.opened, context)
  // COMMIT has a shorter deadline, and an error of it would leave the outcome to be asked for
  if (context.limits.ticketed) await writer.opened.transaction.query('SET CONSTRAINTS ALL IMMEDIATE')
}

/** Rows may wait for later ones unless a callback follows each batch. */
function rejectsOf<Item>(
  { plan }: TransactionWriter<Item>,
  { budget, inTransaction }: WriteContext<Item>,
): Rejects {
  if (budget.left === 0) return 'none'
  return plan.selfReferences.length > 0 && !inTransaction ? 'later' : 'now'
}

async function addSent<Item>(
  writer: TransactionWriter<Item>,
  batch: Batch<Item>,
): Promise<readonly Batch<Item>[]> {
  await writer.add(batch)
  return [batch]
}

async function beginReplacement<Item>(
  writer: TransactionWriter<Item>,
  first: Batch<Item> | undefined,
  rejects: boolean,
): Promise<Replacement> {
  const { transaction } = await writer.open(first)
  return Replacement.begin(transaction, writer.plan, rejects)
}

/**
 * Begins the transaction after a batch that has sent nothing, because its rows wait for more of them, or were
 * all rejected or skipped. A connection that is lost from here on ends the load: no other attempt could write
 * the batch, which is no longer held.
 */
async function beginIfFresh<Item>({ opened }: TransactionWriter<Item>): Promise<void> {
  if (opened?.transaction.state === 'fresh') await opened.transaction.begin()
}

/** Waits for the next batch, as long as the connection lasts: the source may pause for minutes. */
function nextOf<Item>({ opened }: TransactionWriter<Item>, next: NextBatch<Item>) {
  return opened ? opened.lease.whileConnected(next('waits')) : next('waits')
}

async function afterBatch<Item>(writer: TransactionWriter<Item>, context: WriteContext<Item>): Promise<void> {
  const { opened, notes } = writer
  if (!opened || !context.inTransaction) return
  await callInTransaction(writer, opened, context)
  notes.length = 0
  opened.transaction.proveWithNext()
}

/** Replaces the rows of the table by those that are staged. */
async function replaceBy<Item>(
  writer: TransactionWriter<Item>,
  opened: OpenedTransaction<Item>,
  replacement: Replacement,
  shapes: readonly RowShape[],
  context: WriteContext<Item>,
): Promise<void> {
  const { transaction, rows } = opened
  if (context.rollsBack) return // a trial of some rows, which are not to replace the others
  const staged = rowsOf(writer)
  const { minRows } = context.replace!
  if (staged < minRows) throw tooFewRows(writer.plan.table, staged, minRows)
  const stored = await replacement.countStored()
  transaction.answers.patienceMs += stored * PATIENCE_MS_PER_ROW
  await approve(writer, opened, context, stored)
  const changed = await replacement.apply(shapes.map(writer.plan.mergeShape))
  rows.addUnchanged(unchangedOf(staged, changed))
}

/** Lets the caller decide whether all of this is committed. */
async function approve<Item>(
  writer: TransactionWriter<Item>,
  { lease }: OpenedTransaction<Item>,
  { beforeCommit }: WriteContext<Item>,
  stored?: number,
): Promise<void> {
  if (!beforeCommit) return
  const counts = { rows: rowsOf(writer), rejected: writer.rejected.all.length, stored }
  try {
    await lease.whileConnected(Promise.resolve(beforeCommit(counts)))
  } catch (cause) {
    throw lease.broken ?? new CallbackError('beforeCommit', cause)
  }
}

/** Returns how many rows were sent and not rejected. */
function rowsOf<Item>({ items, skipped, rejected }: TransactionWriter<Item>): number {
  return items - skipped - rejected.all.length
}

function tooFewRows(table: TableParts, rows: number, minRows: number): PgBatchError {
  const [name, few] = [quoteTable(table), rows === 0 ? 'no row' : `${rows} of at least ${minRows} rows`]
  const reason =
    `The new data for ${name} has ${few}, so the stored rows stay: ` +
    'if the data is right, set `replace: { minRows: 0 }`'
  return new PgBatchError('TOO_FEW_ROWS', reason, { outcome: 'rolled-back' })
}
