import { canCopy } from '../../../connection/pool/driver-modes.ts'
import { isServerError } from '../../../connection/server-error.ts'
import type { Transaction } from '../../../connection/transaction/transaction.ts'
import { ByteBuffer } from '../../../encode/wire/byte-buffer.ts'
import type { SlabLease } from '../../../encode/wire/slabs.ts'
import type { Merge, MergeShape, RowSource } from '../../../table/merge/merge.ts'
import { areApart, canBeApart } from '../../../table/merge/merge-apart.ts'
import { mergeLoop } from '../../../table/merge/merge-loop.ts'
import { deleteAll, insertAll, insertLast } from '../../../table/merge/merge-once.ts'
import {
  clearStagingStatement,
  parameterRows,
  stagedRows,
  stageStatement,
} from '../../../table/merge/merge-source.ts'
import {
  endsAtFirstTurn,
  isRefusedTogether,
  type MergeStrategy,
  mergeStrategy,
} from '../../../table/merge/merge-strategy.ts'
import { mergeLast, mergeTurn } from '../../../table/merge/merge-turns.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import type { RowGroup } from '../../rows/batch.ts'
import { sizeOfRow } from '../../rows/held-bytes.ts'
import type { RowRef } from '../../rows/row-sender.ts'
import { rowsInOrder } from '../../rows/rows-in-order.ts'
import { inKeyOrder } from '../by-row/key-order.ts'
import { RowByRowSender } from '../by-row/row-by-row-sender.ts'
import { arrayParameters, NotTogether, shapeNumbers } from '../insert/array-parameters.ts'
import { onlyOf, ParameterSender, type RowStatement } from '../insert/parameter-sender.ts'
import { createStaging } from './staging-sender.ts'

/**
 * The most turns. Rows that are then left go one after the other, because each turn sends the rows of all
 * later turns again.
 */
const MAX_TURNS = 4

/** From this many rows on, folding on the server makes up for a staging table and four round trips. */
const FOLD_FROM_ROWS = 500

/** Rows that a statement has left for another, and the most rows of one key that it was sent. */
interface Left {
  readonly refs: readonly RowRef[]
  readonly turns: number
}

const NONE: Left = { refs: [], turns: 0 }

/**
 * What small batches are gathered to before it is sent. Each statement costs a round trip, and leaves a dead
 * version of a row that it updates again: 100,000 increments of one key in batches of ten take 40 seconds one
 * batch at a time, and 2 seconds so. With several connections, each of which has to wait for the COMMIT of
 * the one before, they took 70.
 */
const MAX_WAITING = Object.freeze({ rows: 1000, bytes: 1024 * 1024 })

/** The most rows of one statement, which is also the number of rows that one merge sorts. */
const MAX_ROWS = 50_000

/**
 * Upserts a batch by INSERTs with parameters: by one for rows of all shapes where keys differ and decide
 * alone, else row by row.
 */
export class UpsertSender extends ParameterSender {
  readonly #merge: Merge
  /** Memory for binary arrays. pg-native sends parameters as text. */
  readonly #arrays: ByteBuffer | undefined
  /** The groups of each batch that waits. */
  #waiting: (readonly RowGroup[])[] = []
  #waitingRows = 0
  #waitingBytes = 0
  #signal: AbortSignal | undefined
  #hasSavepoint = false
  #staging: string | undefined
  /** What sends rows one by one, while it does or after it has failed. */
  #rowByRow: RowByRowSender | undefined

  constructor(transaction: Transaction, plan: TablePlan, slabs: SlabLease) {
    super(transaction, plan)
    this.#merge = plan.merge!
    this.#arrays = canCopy(transaction.lease.client) ? new ByteBuffer(slabs) : undefined
  }

  /** Sends rows, or keeps them to share a statement with those of the next batches. */
  override async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    // a copy, because the caller may forget the rows of a batch that is sent
    const own = groups.map(group => ({ ...group, rows: group.rows.map(row => row) }))
    this.#waiting.push(own)
    for (const { rows } of own) this.#waitingRows += rows.length
    this.#signal = signal
    if (!this.#mayWait(own)) await this.#sendWaiting()
  }

  override close(): Promise<void> {
    return this.#sendWaiting()
  }

  /** Returns the groups of each batch that waits, which the caller sends in another way. */
  takeWaiting(): (readonly RowGroup[])[] {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingRows = 0
    this.#waitingBytes = 0
    return waiting
  }

  /** Returns false when what waits is to be sent: always before the length of rows is known. */
  #mayWait(added: readonly RowGroup[]): boolean {
    const { rows, bytes } = MAX_WAITING
    if (this.#waitingRows >= Math.min(rows, this.plan.rowLength.rowsIn(bytes))) return false
    // rows may be longer than those before them
    for (const group of added) for (const row of group.rows) this.#waitingBytes += sizeOfRow(row)
    return this.#waitingBytes < bytes
  }

  async #sendWaiting(): Promise<void> {
    const rows = this.takeWaiting().flatMap(rowsInOrder)
    const { sentBytes } = this
    for (let from = 0; from < rows.length; from += MAX_ROWS) {
      this.#signal!.throwIfAborted()
      await this.#upsert(rows.slice(from, from + MAX_ROWS), 1, this.#signal!)
    }
    this.plan.rowLength.note(rows.length, this.sentBytes - sentBytes)
  }

  /** @param turn which row of each key is written, from 1: the others are left for later turns */
  async #upsert(refs: readonly RowRef[], turn: number, signal: AbortSignal): Promise<void> {
    if (refs.length === 1) return this.#oneByOne(refs, signal)
    const strategy = await this.#strategyFor(refs)
    if (strategy.kind === 'one by one' || strategy.kind === 'steps') return this.#oneByOne(refs, signal)
    const left = await this.#unlessRefused(strategy.guarded, () => this.#together(refs, strategy))
    if (!left) return this.#oneByOne(refs, signal)
    const { refs: later, turns } = left
    if (later.length === 0) return
    if (turn + turns <= MAX_TURNS + 1) return this.#upsert(later, turn + 1, signal)
    await (this.#mayFold(later) ? this.#fold(later) : this.#oneByOne(later, signal))
  }

  /** Rows that are apart may share a statement, at whose end the server checks foreign keys. */
  async #strategyFor(refs: readonly RowRef[]): Promise<MergeStrategy> {
    const source = this.#sourceOf(refs)
    const { shapes } = source
    const strategy = mergeStrategy(this.#merge, shapes)
    if (strategy.kind !== 'one by one' || !canBeApart(this.#merge, shapes)) return strategy
    const together = mergeStrategy(this.#merge, shapes, false)
    if (together.kind === 'one by one') return strategy
    const { sentBytes } = this
    const answer = await this.#unlessRefused(false, async () =>
      this.query(this.#statement(areApart(this.#merge, source), refs, source)),
    )
    this.sentBytes = sentBytes
    return answer?.rows[0]?.apart === 'true' ? together : strategy
  }

  /** Sends rows by one statement; resolves to those that it has left for another. */
  async #together(
    refs: readonly RowRef[],
    strategy: Exclude<MergeStrategy, { kind: 'one by one' | 'steps' }>,
  ): Promise<Left> {
    const source = this.#sourceOf(refs)
    const statement = (text: string): RowStatement => this.#statement(text, refs, source)
    switch (strategy.kind) {
      case 'all':
        await this.execute(statement(this.#textOf(source, strategy.order)))
        return NONE
      case 'last':
        return (await this.#last(refs, source)) ? NONE : this.#inTurns(refs, source)
      case 'turns':
        return this.#inTurns(refs, source)
    }
  }

  /** Resolves to false, with nothing written, where the server would refuse one of the rows. */
  async #last(refs: readonly RowRef[], source: RowSource): Promise<boolean> {
    const [shape] = source.shapes
    const { sentBytes } = this
    const text =
      source.shapes.length > 1 ? mergeLast(this.#merge, source) : insertLast(this.#merge, source, shape!)
    const { rows, rowCount } = await this.query(this.#statement(text, refs, source))
    const isRefused = source.shapes.length > 1 ? rows[0]!.changed === null : rowCount === 0
    if (isRefused) this.sentBytes = sentBytes
    // each row of one shape would have changed something if it was sent alone
    else if (source.shapes.length > 1) this.count(refs.length, Number(rows[0]!.changed))
    return !isRefused
  }

  async #inTurns(refs: readonly RowRef[], source: RowSource): Promise<Left> {
    const [shape] = source.shapes
    const mayInsertAll = source.shapes.length === 1 && !shape!.deletes && !this.#merge.conflict.updateOnly
    const isDone = mayInsertAll && (await this.#unlessRefused(true, () => this.#insertAll(refs, source)))
    return isDone ? NONE : this.#turn(refs, source)
  }

  /** The server refuses rows of the same key. */
  async #insertAll(refs: readonly RowRef[], source: RowSource): Promise<true> {
    await this.execute(
      this.#statement(insertAll(this.#merge, source, source.shapes[0]!, 'key'), refs, source),
    )
    return true
  }

  async #turn(refs: readonly RowRef[], source: RowSource): Promise<Left> {
    const { rows } = await this.query(this.#statement(mergeTurn(this.#merge, source, 1), refs, source))
    const ordinals = rows[0]!.later as string | null
    const later = ordinals ? ordinals.split(',').map(ordinal => refs[Number(ordinal)]!) : []
    const left = endsAtFirstTurn(this.#merge, source.shapes) ? [] : later
    this.count(refs.length - left.length, Number(rows[0]!.changed))
    return { refs: left, turns: Number(rows[0]!.turns) }
  }

  #mayFold(refs: readonly RowRef[]): boolean {
    return (
      refs.length >= FOLD_FROM_ROWS && this.#merge.conflict.stateChecks !== undefined && this.#merge.numbered
    )
  }

  /** Sends rows to a staging table, where a loop on the server folds those of a key. */
  async #fold(refs: readonly RowRef[]): Promise<void> {
    this.#staging ??= await createStaging(this.transaction, this.plan)
    this.transaction.before(clearStagingStatement(this.#staging))
    const source = this.#sourceOf(refs)
    await this.query(this.#statement(stageStatement(this.#staging, this.#merge, source), refs, source))
    const staged = stagedRows(this.#merge, this.#staging, source.shapes)
    const { rows } = await this.transaction.query(mergeLoop(this.#merge, staged, 'key', 1))
    this.count(refs.length, Number(rows[0]!.changed))
  }

  /** Sends rows each by a statement of its own, in the order of their keys or in their own. */
  async #oneByOne(refs: readonly RowRef[], signal: AbortSignal): Promise<void> {
    const ordered = await inKeyOrder(this.transaction, this.plan, refs, this.#arrays)
    const rowByRow = new RowByRowSender(this.transaction, this.plan)
    this.#rowByRow = rowByRow
    await rowByRow.sendRows(ordered, signal)
    this.#rowByRow = undefined
    this.sentBytes += rowByRow.bytes
    this.unchanged += rowByRow.unchanged
  }

  override locate(error: unknown): RowRef | undefined {
    return this.#rowByRow?.locate(error) ?? super.locate(error)
  }

  /** Returns the statement that writes all rows of a source, which have one shape. */
  #textOf(source: RowSource, order: 'ordinal' | 'key'): string {
    const [shape] = source.shapes
    return shape!.deletes ? deleteAll(this.#merge, source) : insertAll(this.#merge, source, shape!, order)
  }

  /** Resolves to undefined, and undoes everything, if the server refuses rows that it may take one by one. */
  async #unlessRefused<T>(guarded: boolean, send: () => Promise<T>): Promise<T | undefined> {
    if (!guarded)
      return send().catch(error => (error instanceof NotTogether ? undefined : Promise.reject(error)))
    // the last savepoint is released first, so that many statements do not nest as many savepoints
    if (this.#hasSavepoint) this.transaction.before('RELEASE SAVEPOINT pg_batch_merge')
    this.transaction.before('SAVEPOINT pg_batch_merge')
    this.#hasSavepoint = true
    const { sentBytes, unchanged } = this
    try {
      return await send()
    } catch (error) {
      const refused = isServerError(error) && isRefusedTogether(error.code)
      if (!refused && !(error instanceof NotTogether)) throw error
      this.transaction.before('ROLLBACK TO SAVEPOINT pg_batch_merge')
      this.sentBytes = sentBytes
      this.unchanged = unchanged
      return undefined
    }
  }

  #sourceOf(refs: readonly RowRef[]): RowSource {
    return parameterRows(this.#merge, this.#shapesOf(refs))
  }

  #shapesOf(refs: readonly RowRef[]): MergeShape[] {
    return [...new Set(refs.map(({ group }) => group.shape))].map(shape => this.plan.mergeShape(shape))
  }

  /** @throws NotTogether */
  #statement(text: string, refs: readonly RowRef[], { columns }: RowSource): RowStatement {
    const { values, length } = arrayParameters(refs, columns, this.plan.columns, this.#arrays)
    const parameters = { values: [...values, shapeNumbers(refs)], length }
    return {
      text,
      parameters,
      count: refs.length,
      only: onlyOf(refs),
      columns: columns.map(({ name }) => name),
    }
  }
}
