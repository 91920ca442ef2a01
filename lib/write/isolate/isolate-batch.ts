import type { Transaction } from '../../connection/transaction/transaction.ts'
import type { PgBatchError } from '../../errors.ts'
import { errorContext, toPgBatchError } from '../faults/failure.ts'
import { isCertainlyRowsFault, isRowsFault } from '../faults/transient.ts'
import type { TablePlan } from '../plan/table-plan.ts'
import { arrayIndexOf, type RowGroup, splitByBatch } from '../rows/batch.ts'
import { RowError, type RowRef } from '../rows/row-sender.ts'
import type { RowsInTransaction } from '../send/rows-in-transaction.ts'
import { CHECK_CONSTRAINTS, deferConstraints, deferralOf } from './constraint-modes.ts'
import { isolateRows, type PieceFailure } from './isolate-rows.ts'
import { Orphans } from './orphans.ts'
import { parentsFirst } from './parents-first.ts'
import { FOREIGN_KEY_VIOLATION, mayBlameFirst } from './refusals.ts'
import { groupByShape, inOrder, isRowAt, type Row, type Unit } from './rows.ts'
import { writeEach } from './write-each.ts'

export interface IsolateBatchOptions {
  readonly transaction: Transaction
  readonly rows: RowsInTransaction
  readonly plan: TablePlan
  /** The row that a failed attempt at the whole batch has named, and its error. */
  readonly first: { readonly row: RowRef; readonly error: PgBatchError } | undefined
  /**
   * Deferred constraints are checked at the end of each piece: a row that fails may pass once the other rows
   * are in.
   */
  readonly immediate: boolean
  /** A row that a foreign key refuses is not rejected: its parent may be in a later batch. */
  readonly awaitsParents: boolean
  /** @param item index into the batch's items. May throw, which ends the work */
  readonly reject: (batch: RowGroup['batch'], item: number, row: object, error: PgBatchError) => void
}

/**
 * Writes the good rows of a batch, or of several batches together, and rejects the bad ones, each piece under
 * a savepoint of the one transaction.
 * @returns the error of a row that waits for rows of later batches: the caller undoes everything
 * @throws PgBatchError when every row failed with the same error, and it need not be the rows' fault (a
 *   broken trigger)
 */
export async function isolateBatch(
  groups: readonly RowGroup[],
  options: IsolateBatchOptions,
): Promise<PgBatchError | undefined> {
  const hasRows = groups.some(({ rows }) => rows.length > 0)
  return hasRows ? new BatchIsolation(groups, options).run() : undefined
}

/** How often a batch is sent again at most, each time without another one of its waiting rows. */
const MAX_LEFT_OUT = 20

/** How often a batch may be sent again even if it is large. */
const MIN_LEFT_OUT = 3

/** How many rows are sent again in all, unless `MIN_LEFT_OUT` asks for more. */
const MAX_ROWS_AGAIN = 20_000

/**
 * The isolation of a batch, or of batches whose rows refer to each other:
 *
 *     pieces, parents before children → bad rows are rejected; those that a foreign key refuses wait
 *     rounds over those that wait     → until a round writes none of them
 *     an upsert with a late row       → all is undone and written once more in the order of the batch
 */
class BatchIsolation {
  readonly #groups: readonly RowGroup[]
  readonly #options: IsolateBatchOptions
  /** In the order of the batch: of two rows with one unique key the second is rejected, in any shape. */
  readonly #rows: readonly Row[]
  /** Rows that pass in a later round must not overwrite those that follow them. */
  readonly #keepsOrder: boolean
  /** Refused rows that may pass when others are in. */
  readonly #waiting = new Map<Row, PgBatchError>()
  readonly #rejected = new Map<Row, PgBatchError>()
  readonly #orphans: Orphans
  /** Statements after each check of the deferred constraints, where they are checked. */
  #deferral: string | undefined

  constructor(groups: readonly RowGroup[], options: IsolateBatchOptions) {
    this.#groups = groups
    this.#options = options
    this.#orphans = new Orphans(options.transaction, options.plan)
    this.#keepsOrder = options.plan.conflict !== undefined
    const rows = groups.flatMap(group =>
      Array.from(group.rows, ([row, item]): Row => ({ batch: group.batch, item, row, shape: group.shape })),
    )
    this.#rows = groups.length > 1 ? rows.sort(inOrder) : rows
  }

  async run(): Promise<PgBatchError | undefined> {
    const { transaction, rows, plan, immediate, awaitsParents } = this.#options
    if (immediate) this.#deferral = await deferralOf(transaction, plan.table)
    if (this.#keepsOrder) transaction.before('SAVEPOINT pg_batch_isolation')
    await rows.beginPieces(this.#groups)
    const units = parentsFirst(this.#rows, plan)
    const isReordered = units.some((unit, index) => unit[0] !== this.#rows[index])
    await this.#writeUnits(units, this.#firstFailure(units))
    const late = await this.#writeWaiting()
    const refused = [...this.#waiting].sort(([a], [b]) => inOrder(a, b))
    const orphan = refused.find(([, { sqlState }]) => sqlState === FOREIGN_KEY_VIOLATION)
    if (orphan && awaitsParents) return orphan[1]
    if (this.#keepsOrder) {
      const mayPass = this.#deferral !== undefined && this.#waiting.size > 1
      const isInOrder = mayPass && (await this.#writeAllButOne())
      if (!isInOrder && (mayPass || isReordered || late.size > 0)) await this.#writeInOrder(late)
      transaction.before('RELEASE SAVEPOINT pg_batch_isolation')
    }
    for (const [row, error] of [...this.#waiting].sort(([a], [b]) => inOrder(a, b))) this.#reject(row, error)
    this.#failIfAllAlike()
    return undefined
  }

  /** Returns the failure of the attempt at the whole batch, if it named a row. */
  #firstFailure(units: readonly Unit[]): PieceFailure | undefined {
    const { first } = this.#options
    if (!first) return undefined
    const at = units.findIndex(unit => unit.some(isRowAt(first.row)))
    return at < 0 || mayBlameFirst(first.error, this.#groups) ? undefined : { at, error: first.error }
  }

  async #writeUnits(units: readonly Unit[], first?: PieceFailure): Promise<void> {
    const { rows } = this.#options
    const checks = this.#deferral === undefined ? [] : [CHECK_CONSTRAINTS, this.#deferral]
    const each = { rows, checks, isRefused: (row: Row) => this.#isRefused(row) }
    await isolateRows({
      count: units.length,
      first,
      write: async (from, to) => {
        const failure = await this.#writePiece(units.slice(from, to))
        return failure && { ...failure, at: failure.at === undefined ? undefined : from + failure.at }
      },
      writeEach: rows.maySendEach ? (from, to) => writeEach(units, from, to, each) : undefined,
      reject: (index, error) => this.#refuse(units[index]!, error),
    })
  }

  /**
   * Writes what can now be written of the waiting rows: all together, because they may refer to each other,
   * else one by one, for as long as a round writes some. Every second round goes backwards.
   * @returns the rows that were written
   */
  async #writeWaiting(): Promise<ReadonlySet<Row>> {
    const late = new Set<Row>()
    for (let round = 1; this.#waiting.size > 0; round++) {
      const waiting = [...this.#waiting.keys()]
      const units = (round % 2 === 1 ? waiting : waiting.toReversed()).map((row): Unit => [row])
      this.#waiting.clear()
      // a single row is a piece by itself
      const together = waiting.length > 1 ? await this.#writePiece([waiting]) : undefined
      if (waiting.length === 1 || together) await this.#writeUnits(units)
      const passed = waiting.filter(row => !this.#waiting.has(row) && !this.#rejected.has(row))
      if (passed.length === 0) break
      for (const row of passed) late.add(row)
    }
    return late
  }

  /**
   * Undoes what was written, and writes all rows in their order, without one of those that wait, whichever it
   * is. Rows that exchange the values of a deferred key, or that break a deferred constraint until a later
   * row of their key, can be written in no other way.
   * @returns false if that fails
   */
  async #writeAllButOne(): Promise<boolean> {
    const waiting = [...this.#waiting]
    const affordable = Math.max(MIN_LEFT_OUT, Math.floor(MAX_ROWS_AGAIN / this.#rows.length))
    if (waiting.length < 2 || waiting.length > Math.min(MAX_LEFT_OUT, affordable)) return false
    for (const [bad, error] of waiting.toReversed()) {
      this.#waiting.clear()
      this.#waiting.set(bad, error)
      await this.#undo()
      if (!(await this.#writePiece([this.#rows])) && this.#waiting.size === 1) return true
    }
    this.#waiting.clear()
    for (const [row, error] of waiting) this.#waiting.set(row, error)
    return false
  }

  /**
   * Undoes what was written, and writes it again as one piece, so that the last row of each key wins. If that
   * fails, the late rows are rejected: the others are known to pass in their order.
   */
  async #writeInOrder(late: ReadonlySet<Row>): Promise<void> {
    const good = this.#rows.filter(row => !this.#rejected.has(row) && !this.#waiting.has(row))
    await this.#undo()
    const failure = await this.#writePiece([good])
    if (!failure) return
    for (const row of late) this.#waiting.set(row, failure.error)
    await this.#writeUnits(good.filter(row => !late.has(row)).map((row): Unit => [row]))
  }

  async #undo(): Promise<void> {
    this.#options.rows.undoPieces('ROLLBACK TO SAVEPOINT pg_batch_isolation')
    await this.#options.rows.beginPieces(this.#groups)
  }

  /**
   * Refuses a unit. Of rows that refer to each other one has caused the error; the others wait for another
   * round.
   */
  #refuse(unit: Unit, error: PgBatchError): void {
    const isBlamed = ({ batch, item }: Row) =>
      batch.id === error.batchId && arrayIndexOf(batch, item) === error.rowIndex
    const blamed = unit.length === 1 ? unit[0] : unit.find(isBlamed)
    const { immediate } = this.#options
    const mayPass = immediate || error.sqlState === FOREIGN_KEY_VIOLATION
    for (const row of unit) {
      if (row !== blamed || mayPass) this.#waiting.set(row, error)
      else this.#reject(row, error)
    }
  }

  #reject(row: Row, error: PgBatchError): void {
    this.#rejected.set(row, error)
    this.#options.reject(row.batch, row.item, row.row, error)
  }

  #failIfAllAlike(): void {
    const [first, ...others] = [...this.#rejected.values()]
    if (!first || this.#rejected.size < this.#rows.length) return
    const isDoubtful = ({ code, cause }: PgBatchError): boolean =>
      code === 'REFUSED' && !isCertainlyRowsFault(cause)
    if (isDoubtful(first) && others.every(error => error.sqlState === first.sqlState && isDoubtful(error))) {
      throw first
    }
  }

  #isRefused(row: Row): boolean {
    return this.#waiting.has(row) || this.#rejected.has(row)
  }

  /** Writes the rows of a piece that are not refused yet, without those whose parents are missing. */
  async #writePiece(units: readonly Unit[]): Promise<PieceFailure | undefined> {
    for (;;) {
      const piece = units.flat().filter(row => !this.#isRefused(row))
      if (piece.length === 0) return undefined
      const failure = await this.#tryPiece(units, piece)
      if (!failure || !(await this.#refuseOrphans(piece, failure.error))) return failure
    }
  }

  /** Returns false if there are none. */
  async #refuseOrphans(piece: readonly Row[], { sqlState, cause }: PgBatchError): Promise<boolean> {
    if (sqlState !== FOREIGN_KEY_VIOLATION || piece.length === 1) return false
    const orphans = await this.#orphans.among(piece, cause)
    const reason = withoutDetail(cause as Error)
    for (const row of orphans) {
      const where = { batchId: row.batch.id, rowIndex: arrayIndexOf(row.batch, row.item) }
      this.#refuse([row], toPgBatchError(reason, 'rolled-back', where, 'write'))
    }
    return orphans.length > 0
  }

  /**
   * Writes a piece. Savepoint statements travel with the next statement, so a piece costs no extra round
   * trip.
   */
  async #tryPiece(units: readonly Unit[], piece: readonly Row[]): Promise<PieceFailure | undefined> {
    const { transaction, rows } = this.#options
    const parts = splitByBatch(piece).map(groupByShape)
    rows.beforePiece('SAVEPOINT pg_batch')
    try {
      for (const groups of parts) await rows.send(groups)
      await rows.close()
      await this.#checkConstraints()
      transaction.before('RELEASE SAVEPOINT pg_batch')
      return undefined
    } catch (error) {
      if (!(error instanceof RowError) && !isRowsFault(error)) throw error
      const named = error instanceof RowError ? error.row : rows.locate(error)
      await rows.abort()
      transaction.before('ROLLBACK TO SAVEPOINT pg_batch; RELEASE SAVEPOINT pg_batch')
      // the only row of a piece has caused its error, named or not
      const blamed = named ?? (piece.length === 1 ? { group: parts[0]![0]!, index: 0 } : undefined)
      const failure = toPgBatchError(error, 'rolled-back', blamed ? errorContext(blamed) : {}, 'write')
      if (!blamed || parts.some(groups => mayBlameFirst(failure, groups)))
        return { error: failure, at: undefined }
      return { error: failure, at: units.findIndex(unit => unit.some(isRowAt(blamed))) }
    }
  }

  /**
   * Checks deferred constraints after all rows of a piece, which may go by several statements: one row may
   * need what a later one brings.
   */
  async #checkConstraints(): Promise<void> {
    if (this.#deferral === undefined) return
    const { transaction } = this.#options
    await transaction.query(CHECK_CONSTRAINTS)
    // not together with the next piece, which would undo this one if the statements fail
    await deferConstraints(transaction, this.#deferral)
  }
}

/** The detail of a foreign key's error has the key of one row. */
function withoutDetail(error: Error): Error {
  return Object.assign(new Error(error.message), error, { detail: undefined })
}
