import type { Transaction } from '../connection/transaction.ts'
import type { PgBatchError } from '../errors.ts'
import { type RowGroup, sliceGroup } from './batch.ts'
import { failurePlace, toPgBatchError } from './failure.ts'
import { isolateRows, type PieceFailure } from './isolate.ts'
import { RowError } from './row-sender.ts'
import type { RowsInTransaction } from './rows-in-transaction.ts'
import { isRowsFault } from './transient.ts'

export interface IsolateGroupOptions {
  readonly transaction: Transaction
  readonly rows: RowsInTransaction
  readonly first: PieceFailure | undefined
  /** Rejected rows get another chance when all others are in: a row they refer to may be among those. */
  readonly again: boolean
  /** @param row index into the group's rows */
  readonly reject: (row: number, error: PgBatchError) => void
}

/** Writes a group's good rows and rejects its bad ones, each piece under a savepoint of the one transaction. */
export async function isolateGroup(group: RowGroup, options: IsolateGroupOptions): Promise<void> {
  const { first, again, reject } = options
  const rejected = new Map<number, PgBatchError>()
  await isolateRows({
    count: group.rows.length,
    first,
    write: (from, to) => writePiece(group, from, to, options),
    reject: (row, error) => (again ? rejected.set(row, error) : reject(row, error)),
  })
  while (again && (await writeAgain(group, rejected, options)));
  for (const [row, error] of rejected) reject(row, error)
}

/** Writes what can now be written of the rejected rows; true when some could, and others are left. */
async function writeAgain(
  group: RowGroup,
  rejected: Map<number, PgBatchError>,
  options: IsolateGroupOptions,
): Promise<boolean> {
  const before = rejected.size
  for (const row of [...rejected.keys()]) {
    if (!(await writePiece(group, row, row + 1, options))) rejected.delete(row)
  }
  return rejected.size > 0 && rejected.size < before
}

/** Savepoint statements travel with the next statement, so that a piece costs no more round trips than it would alone. */
async function writePiece(
  group: RowGroup,
  from: number,
  to: number,
  { transaction, rows }: IsolateGroupOptions,
): Promise<PieceFailure | undefined> {
  transaction.before('SAVEPOINT pg_batch')
  try {
    await rows.send([sliceGroup(group, from, to)])
    await rows.close()
    transaction.before('RELEASE SAVEPOINT pg_batch')
    return undefined
  } catch (error) {
    if (!(error instanceof RowError) && !isRowsFault(error)) throw error
    const place = error instanceof RowError ? error.place : rows.locate(error)
    await rows.abort()
    transaction.before('ROLLBACK TO SAVEPOINT pg_batch; RELEASE SAVEPOINT pg_batch')
    // a piece of one row needs no name to be blamed
    const blamed = place ?? (to - from === 1 ? { group: sliceGroup(group, from, to), index: 0 } : undefined)
    return {
      error: toPgBatchError(error, 'rolled-back', blamed ? failurePlace(blamed) : {}, 'write'),
      at: blamed && from + blamed.index,
    }
  }
}
