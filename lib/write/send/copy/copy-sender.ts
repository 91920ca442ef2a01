import type { Transaction } from '../../../connection/transaction/transaction.ts'
import type { RowEncoder } from '../../../encode/row-encoder.ts'
import type { SlabLease } from '../../../encode/wire/slabs.ts'
import type { TableParts } from '../../../table/identifier.ts'
import { explainChange } from '../../faults/table-changed.ts'
import type { TablePlan } from '../../plan/table-plan.ts'
import { type EncodedRows, holdBytesOnly, type RowGroup } from '../../rows/batch.ts'
import { type RowRef, type RowSender, unchangedOf } from '../../rows/row-sender.ts'
import { InsertSender } from '../insert/insert-sender.ts'
import { CopyPieces, PIECE_BYTES } from './copy-pieces.ts'
import { OpenCopy, type OpenCopyOptions } from './open-copy.ts'
import { notBinary, notEncodable } from './row-errors.ts'

export interface CopyOptions {
  /** Where rows wait for a merge; undefined: they go into the table itself. */
  readonly staging?: TableParts
  /** See `RowsOptions`. */
  readonly canReleaseItems?: boolean
  readonly slabs: SlabLease
}

/**
 * Sends rows by COPY: into the table itself, or into a staging table with two more columns. One COPY stays
 * open as long as the groups have its shape and the values fit its format. A value without an exact binary
 * form closes a binary COPY after the row before it, and the rest of its batch goes as text. A row with bytes
 * that have no text form either goes by INSERT after the other rows of its batch. So what is stored for a row
 * never depends on the rows beside it.
 */
export class CopySender implements RowSender {
  readonly method = 'copy'
  unchanged = 0
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  readonly #staging: TableParts | undefined
  readonly #canReleaseItems: boolean
  readonly #pieces: CopyPieces
  #open: OpenCopy | undefined
  /** The pieces of the batch that is being sent are to replace its items. */
  #keepsPieces = false
  /** The pieces of the batch that was sent last, while its items are still held. */
  #lastPieces: Buffer[] | undefined
  /** The rows of the current batch that COPY cannot carry as text. */
  #byInsert: RowGroup[] = []
  #insert: InsertSender | undefined
  #insertedBytes = 0
  /** The ordinal of the current batch's first item: rows keep their order, however they are grouped. */
  #firstOrdinal = 0

  constructor(
    transaction: Transaction,
    plan: TablePlan,
    { staging, canReleaseItems = false, slabs }: CopyOptions,
  ) {
    this.#pieces = new CopyPieces(slabs)
    this.#transaction = transaction
    this.#plan = plan
    this.#staging = staging
    this.#canReleaseItems = canReleaseItems
  }

  get bytes(): number {
    return this.#pieces.bytes + this.#insertedBytes
  }

  async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    try {
      await this.#send(groups, signal)
    } catch (error) {
      throw explainChange(error, this.#plan.table)
    }
  }

  async #send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    // only the batch that opens a COPY goes ahead of the answer, so that a server that hangs is not fed more
    const unanswered = this.#open?.copy.unanswered
    if (unanswered) await this.#transaction.answers.copy(unanswered)
    this.#lastPieces = undefined
    const [first] = groups
    if (first?.encoded) return this.#sendAgain(first, first.encoded)
    this.#keepsPieces = this.#canReleaseItems && groups.length === 1
    for (const group of groups) await this.#sendGroup(group, signal)
    if (this.#byInsert.length > 0) await this.#insertRest(signal)
    this.#firstOrdinal += first?.batch.count ?? 0
    await this.#sendPiece()
    this.#lastPieces = this.#pieces.takeKept()
    this.#releaseItems()
  }

  /** Sends the bytes that an earlier attempt has made of a batch. */
  async #sendAgain(group: RowGroup, { format, pieces, count }: EncodedRows): Promise<void> {
    this.#keepsPieces = false
    const open = await this.#openFor(group, 0, format)
    await this.#sendPiece() // the start of the COPY, which is not in the pieces
    open.lines += count
    for (const piece of pieces) {
      this.#pieces.countAgain(piece)
      const full = open.copy.write(piece)
      if (full) await this.#transaction.answers.copy(full)
    }
  }

  /**
   * Replaces the batch that was sent last by its bytes, if all of them were kept. A batch that opens a COPY
   * keeps its items until the server has answered, because they are needed if the table has changed.
   */
  #releaseItems(): void {
    const pieces = this.#lastPieces
    if (!pieces || !this.#open?.isSound) return
    const { format } = this.#open.encoder
    this.#open.replaceLast(group => holdBytesOnly(group, { format, pieces, count: group.rows.length }))
    this.#lastPieces = undefined
  }

  async #sendGroup(group: RowGroup, signal: AbortSignal): Promise<void> {
    let format = group.shape.mixed ? 'text' : this.#plan.format.current
    const byInsert = new Set<number>()
    for (let index = 0; index < group.rows.length; ) {
      const open = await this.#openFor(group, index, format)
      index = await this.#encode(open, group, index, signal)
      if (index === group.rows.length) break
      if (format === 'binary') {
        this.#plan.format.missed()
        format = 'text'
      } else {
        byInsert.add(group.rows.itemAt(index++))
        this.#keepsPieces = false
        this.#pieces.stopKeeping()
      }
    }
    if (byInsert.size === 0) return
    // INSERT takes each row by its own shape
    for (const part of group.mixes ?? [group]) {
      const rows = part.rows.filter((_, item) => byInsert.has(item)).map(this.#plan.objectOf)
      if (rows.length > 0) this.#byInsert.push({ ...part, rows })
    }
  }

  /** Sends the rows that COPY cannot carry, after the rest of their batch. */
  async #insertRest(signal: AbortSignal): Promise<void> {
    await this.close()
    const staging = this.#staging && { table: this.#staging, firstOrdinal: this.#firstOrdinal }
    this.#insert = new InsertSender(this.#transaction, this.#plan, staging)
    await this.#insert.send(this.#byInsert, signal)
    await this.#insert.close()
    this.#insertedBytes += this.#insert.bytes
    this.unchanged += this.#insert.unchanged
    this.#insert = undefined
    this.#byInsert = []
  }

  /**
   * Encodes and sends rows up to the first one whose values do not fit the format of the COPY; returns its
   * index.
   */
  async #encode(open: OpenCopy, group: RowGroup, from: number, signal: AbortSignal): Promise<number> {
    let index = from
    for (;;) {
      const next = this.#fillPiece(open.encoder, group, index)
      open.lines += next - index
      index = next
      if (!this.#pieces.isFull) return index
      await this.#sendPiece()
      signal.throwIfAborted()
    }
  }

  /**
   * Encodes rows until the piece is full, or up to the first row whose values do not fit the format. Returns
   * the index of the first row that is not encoded.
   */
  #fillPiece(encoder: RowEncoder, group: RowGroup, from: number): number {
    const { rows } = group
    const pieces = this.#pieces
    let index = from
    while (index < rows.length && !pieces.isFull) {
      const next = encoder.rows?.(pieces.out, rows, index, this.#firstOrdinal, PIECE_BYTES) ?? index
      if (next > index) {
        index = next
        continue
      }
      if (!this.#encodeRow(encoder, group, index)) break
      index++
    }
    return index
  }

  /** Returns false for a row whose values do not fit the format. */
  #encodeRow(encoder: RowEncoder, group: RowGroup, index: number): boolean {
    const { rows } = group
    let needsText: string | undefined
    try {
      needsText = encoder.row(this.#pieces.out, rows.at(index), this.#firstOrdinal + rows.itemAt(index))
    } catch (error) {
      throw notEncodable(group, index, error)
    }
    if (needsText === undefined) return true
    if (this.#plan.format.binaryOnly) throw notBinary(group, index, needsText)
    return false
  }

  /** Returns a COPY for the rows of a group from `index` on: the one that is open, if it suits them. */
  async #openFor(group: RowGroup, index: number, format: 'binary' | 'text'): Promise<OpenCopy> {
    const { shape } = group
    if (this.#open && (this.#open.shape !== shape || this.#open.encoder.format !== format)) await this.close()
    this.#open ??= this.#begin({ shape, format, staging: this.#staging, isChecked: this.#keepsPieces })
    this.#open.follow(group, index)
    // the pieces of a batch that continues in another COPY are not all of it
    if (this.#keepsPieces && index === 0) this.#pieces.keep()
    else this.#pieces.stopKeeping()
    return this.#open
  }

  #begin(options: OpenCopyOptions): OpenCopy {
    const opened = new OpenCopy(this.#transaction, this.#plan, options)
    opened.copy.ready().then(
      () => {
        opened.isSound = options.isChecked
        this.#releaseItems()
      },
      () => {}, // the next send or close reports it
    )
    this.#pieces.begin(opened.encoder)
    return opened
  }

  async close(commits = false): Promise<void> {
    const open = this.#open
    if (!open) return
    open.encoder.end(this.#pieces.out)
    await this.#sendPiece()
    const transaction = this.#transaction
    try {
      if (commits && transaction.mayCommitBehind(this.bytes)) await transaction.endCopyAndCommit(open.copy)
      else await transaction.answers.copy(open.copy.end())
    } catch (error) {
      throw explainChange(error, this.#plan.table)
    }
    this.#open = undefined
    this.unchanged += unchangedOf(open.lines, open.copy.storedRows)
  }

  async abort(): Promise<void> {
    const aborting = this.#open?.copy.abort()
    if (aborting) await this.#transaction.answers.copy(aborting).catch(() => {})
  }

  locate(error: unknown): RowRef | undefined {
    return this.#insert ? this.#insert.locate(error) : this.#open?.locate(error)
  }

  async #sendPiece(): Promise<void> {
    const piece = this.#open && this.#pieces.take()
    const full = piece && this.#open!.copy.write(piece)
    if (full) await this.#transaction.answers.copy(full)
  }
}
