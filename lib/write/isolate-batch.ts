import type { Transaction } from '../connection/transaction.ts'
import type { PgBatchError } from '../errors.ts'
import { itemIndex, type RowGroup } from './batch.ts'
import { failurePlace, toPgBatchError } from './failure.ts'
import { isolateRows, type PieceFailure } from './isolate.ts'
import { RowError, type RowPlace } from './row-sender.ts'
import type { RowShape } from './row-shapes.ts'
import type { RowsInTransaction } from './rows-in-transaction.ts'
import { isRowsFault } from './transient.ts'

export interface IsolateBatchOptions {
  readonly transaction: Transaction
  readonly rows: RowsInTransaction
  /** The row that an attempt at the whole batch has named, and its error. */
  readonly first: { readonly place: RowPlace; readonly error: PgBatchError } | undefined
  /** Rows go in by the order of the batch, and not shape by shape: the last row of a key wins. */
  readonly inOrder: boolean
  /** Rejected rows get another chance when all others are in: a row they refer to may be among those. */
  readonly again: boolean
  /** @param item index into the batch's items */
  readonly reject: (item: number, row: object, error: PgBatchError) => void
}

interface Row {
  readonly item: number
  readonly row: object
  readonly shape: RowShape
}

/** Writes a batch's good rows and rejects its bad ones, each piece under a savepoint of the one transaction. */
export async function isolateBatch(groups: readonly RowGroup[], options: IsolateBatchOptions): Promise<void> {
  const { first, inOrder, again, reject } = options
  const rows = groups.flatMap(group =>
    group.rows.map((row, index): Row => ({ item: itemIndex(group, index), row, shape: group.shape })),
  )
  if (rows.length === 0) return
  if (inOrder) rows.sort((a, b) => a.item - b.item)
  const { batch } = groups[0]!
  const at = first && rows.findIndex(({ item }) => item === itemIndex(first.place.group, first.place.index))
  const rejected = new Map<Row, PgBatchError>()
  await options.rows.beginPieces(groups)
  await isolateRows({
    count: rows.length,
    first: first && at !== undefined && at >= 0 ? { at, error: first.error } : undefined,
    write: async (from, to) => {
      const failure = await writePiece(batch, rows.slice(from, to), options)
      return failure && { ...failure, at: failure.at === undefined ? undefined : from + failure.at }
    },
    reject(index, error) {
      const { item, row } = rows[index]!
      if (again) rejected.set(rows[index]!, error)
      else reject(item, row, error)
    },
  })
  if (again) await writeAgain(batch, rows, rejected, options)
  for (const [{ item, row }, error] of rejected) reject(item, row, error)
}

/**
 * Writes what can now be written of the rejected rows: all together, since they may refer to each other, else one by
 * one, for as long as that helps some. The later ones come first: rows that only waited for earlier ones are in.
 * What this cannot tell: rows that refer to each other in a circle are rejected, too, when pieces have cut the circle
 * and another row of the batch breaks a deferred constraint.
 *
 * Where order counts, the rows behind such a row go in again with it: one of them may have its key, and that one wins.
 */
async function writeAgain(
  batch: RowGroup['batch'],
  rows: readonly Row[],
  rejected: Map<Row, PgBatchError>,
  options: IsolateBatchOptions,
): Promise<void> {
  const pieceWith = (wanted: readonly Row[]): readonly Row[] =>
    options.inOrder
      ? rows.slice(rows.indexOf(wanted[0]!)).filter(row => !rejected.has(row) || wanted.includes(row))
      : wanted
  for (let before = Number.POSITIVE_INFINITY; rejected.size > 0 && rejected.size < before; ) {
    before = rejected.size
    if (!(await writePiece(batch, pieceWith([...rejected.keys()]), options))) {
      rejected.clear()
      return
    }
    for (const row of [...rejected.keys()].reverse()) {
      if (!(await writePiece(batch, pieceWith([row]), options))) rejected.delete(row)
    }
  }
}

/** Savepoint statements travel with the next statement, so that a piece costs no more round trips than it would alone. */
async function writePiece(
  batch: RowGroup['batch'],
  piece: readonly Row[],
  { transaction, rows }: IsolateBatchOptions,
): Promise<PieceFailure | undefined> {
  const groups = groupByShape(batch, piece)
  rows.beforePiece('SAVEPOINT pg_batch')
  try {
    await rows.send(groups)
    await rows.close()
    transaction.before('RELEASE SAVEPOINT pg_batch')
    return undefined
  } catch (error) {
    if (!(error instanceof RowError) && !isRowsFault(error)) throw error
    const place = error instanceof RowError ? error.place : rows.locate(error)
    await rows.abort()
    transaction.before('ROLLBACK TO SAVEPOINT pg_batch; RELEASE SAVEPOINT pg_batch')
    // a piece of one row needs no name to be blamed
    const blamed = place ?? (piece.length === 1 ? { group: groups[0]!, index: 0 } : undefined)
    const item = blamed && itemIndex(blamed.group, blamed.index)
    return {
      error: toPgBatchError(error, 'rolled-back', blamed ? failurePlace(blamed) : {}, 'write'),
      at: blamed && piece.findIndex(row => row.item === item),
    }
  }
}

function groupByShape(batch: RowGroup['batch'], piece: readonly Row[]): RowGroup[] {
  const groups = new Map<RowShape, { rows: object[]; indexes: number[] }>()
  for (const { item, row, shape } of piece) {
    let group = groups.get(shape)
    if (!group) {
      group = { rows: [], indexes: [] }
      groups.set(shape, group)
    }
    group.rows.push(row)
    group.indexes.push(item)
  }
  return [...groups].map(([shape, group]) => ({ batch, shape, ...group }))
}
