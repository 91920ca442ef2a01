import { COPY_HEADER_BYTES, type CopyIn } from '../../connection/copy-in.ts'
import { copyContext, isServerError } from '../../connection/server-error.ts'
import type { Transaction } from '../../connection/transaction/transaction.ts'
import { type RowEncoder, ValueError } from '../../encode/row-encoder.ts'
import { ByteBuffer } from '../../encode/wire/byte-buffer.ts'
import type { SlabLease } from '../../encode/wire/slabs.ts'
import type { TableParts } from '../../table/identifier.ts'
import { copyStatement, lockStatement } from '../../table/statements.ts'
import { tableChanged } from '../faults/table-changed.ts'
import type { CopyFormatChoice } from '../plan/copy-format.ts'
import type { TablePlan } from '../plan/plan.ts'
import { type EncodedRows, holdBytesOnly, type RowGroup } from '../rows/batch.ts'
import { RowError, type RowPlace, type RowSender, unchangedOf } from '../rows/row-sender.ts'
import type { RowShape } from '../rows/row-shapes.ts'
import { InsertSender } from './insert-sender.ts'

/**
 * Bytes that are encoded before they go to the socket: small enough that the server parses the first rows while
 * later ones are encoded, large enough that a write's own cost does not show.
 */
const PIECE_BYTES = 64 * 1024

export interface CopyOptions {
  /** Where rows wait for a merge; undefined: they go into the table itself. */
  readonly staging?: TableParts
  /** See `RowsOptions`. */
  readonly bytesSuffice?: boolean
  readonly slabs: SlabLease
}

/** Rows that went into the open COPY one after the other: the server counts them as lines. */
interface SentRows {
  readonly firstLine: number
  readonly group: RowGroup
  readonly firstIndex: number
}

interface OpenCopy {
  readonly copy: CopyIn
  readonly shape: RowShape
  readonly encoder: RowEncoder
  lines: number
  readonly sent: SentRows[]
  /** The table is locked and its columns are compared before the COPY, since batches are to be held as bytes only. */
  readonly isChecked: boolean
  /** The server takes rows, and holds the lock under which it has found the columns as they were. */
  isSound: boolean
}

/**
 * Sends rows by COPY: into the table itself, or into a staging table with two columns more. One COPY stays open for
 * as long as the groups that come have its shape and its values fit its format; a value without an exact binary form
 * closes a binary COPY after the row before it, and its batch goes on as text. A row with bytes that have no text form
 * either goes by INSERT after the batch's other rows: what `pg` would store never depends on the rows beside it.
 */
export class CopySender implements RowSender {
  readonly method = 'copy'
  bytes = 0
  unchanged = 0
  readonly #transaction: Transaction
  readonly #plan: TablePlan
  readonly #format: CopyFormatChoice
  readonly #staging: TableParts | undefined
  readonly #bytesSuffice: boolean
  readonly #out: ByteBuffer
  #open: OpenCopy | undefined
  /** Bytes at the start of the current piece that are no rows. */
  #preamble = 0
  /** The pieces of the batch that is being sent are to take its place. */
  #keeps = false
  #kept: Buffer[] | undefined
  /** The same of the batch that was sent last. */
  #sent: Buffer[] | undefined
  /** The rows of the current batch that COPY cannot carry as text. */
  #byInsert: RowGroup[] = []
  #insert: InsertSender | undefined
  /** The ordinal of the current batch's first item: rows keep their order, however they are grouped. */
  #firstOrdinal = 0

  constructor(
    transaction: Transaction,
    plan: TablePlan,
    format: CopyFormatChoice,
    { staging, bytesSuffice = false, slabs }: CopyOptions,
  ) {
    this.#out = new ByteBuffer(slabs)
    this.#transaction = transaction
    this.#plan = plan
    this.#format = format
    this.#staging = staging
    this.#bytesSuffice = bytesSuffice
  }

  async send(groups: readonly RowGroup[], signal: AbortSignal): Promise<void> {
    // the batch that opens a COPY goes ahead of the answer; no other does, lest a server that stands still be fed
    const unanswered = this.#open?.copy.unanswered
    if (unanswered) await this.#transaction.copyAnswered(unanswered)
    if (this.#open && this.#hasChanged(this.#open)) throw tableChanged(this.#plan.table)
    this.#sent = undefined
    const [first] = groups
    if (first?.encoded) return this.#sendAgain(first, first.encoded)
    this.#keeps = this.#bytesSuffice && groups.length === 1
    for (const group of groups) await this.#sendGroup(group, signal)
    if (this.#byInsert.length > 0) await this.#insertRest(signal)
    this.#firstOrdinal += first?.batch.count ?? 0
    await this.#sendPiece()
    this.#sent = this.#kept
    this.#kept = undefined
    this.#release()
  }

  /** Sends what an earlier attempt has made of a batch. */
  async #sendAgain(group: RowGroup, { format, pieces, count }: EncodedRows): Promise<void> {
    this.#keeps = false
    const open = await this.#openFor(group, 0, format)
    await this.#sendPiece() // what begins a COPY
    open.lines += count
    for (const piece of pieces) {
      this.bytes += piece.length - COPY_HEADER_BYTES
      const full = open.copy.write(piece)
      if (full) await this.#transaction.copyAnswered(full)
    }
  }

  /**
   * From here on the batch that was sent last is its bytes, where all of them are kept. The items of the batch that opens
   * a COPY are held until the server has answered: they are needed should the table have changed.
   */
  #release(): void {
    if (!this.#sent || !this.#open?.isSound) return
    const { encoder, sent } = this.#open
    const last = sent.pop()!
    const { format } = encoder
    const count = last.group.rows.length
    sent.push({ ...last, group: holdBytesOnly(last.group, { format, pieces: this.#sent, count }) })
    this.#sent = undefined
  }

  async #sendGroup(group: RowGroup, signal: AbortSignal): Promise<void> {
    let format = this.#format.current
    const byInsert = new Set<number>()
    for (let index = 0; index < group.rows.length; ) {
      const open = await this.#openFor(group, index, format)
      index = await this.#encode(open, group, index, signal)
      if (index === group.rows.length) break
      if (format === 'binary') {
        this.#format.missed()
        format = 'text'
      } else {
        byInsert.add(group.rows.itemAt(index++))
        this.#keeps = false
        this.#kept = undefined
      }
    }
    if (byInsert.size === 0) return
    this.#byInsert.push({ ...group, rows: group.rows.filter((_, item) => byInsert.has(item)) })
  }

  /** Sends what COPY could not carry, behind the rest of its batch. */
  async #insertRest(signal: AbortSignal): Promise<void> {
    await this.close()
    const staging = this.#staging && { table: this.#staging, firstOrdinal: this.#firstOrdinal }
    this.#insert = new InsertSender(this.#transaction, this.#plan, staging)
    await this.#insert.send(this.#byInsert, signal)
    this.bytes += this.#insert.bytes
    this.unchanged += this.#insert.unchanged
    this.#insert = undefined
    this.#byInsert = []
  }

  /** Encodes and sends rows up to the first one whose values do not fit the open COPY's format; returns its index. */
  async #encode(open: OpenCopy, group: RowGroup, from: number, signal: AbortSignal): Promise<number> {
    const { rows } = group
    const { encoder } = open
    const out = this.#out
    for (let index = from; index < rows.length; index++) {
      let misfit: string | undefined
      try {
        misfit = encoder.row(out, rows.at(index), this.#firstOrdinal + rows.itemAt(index))
      } catch (error) {
        throw this.#unencodable(group, index, error)
      }
      if (misfit !== undefined) {
        if (this.#format.binaryOnly) throw this.#unfit(group, index, misfit)
        return index
      }
      open.lines++
      if (out.length >= PIECE_BYTES) {
        const full = this.#writePiece(open)
        if (full) await this.#transaction.copyAnswered(full)
        signal.throwIfAborted()
      }
    }
    return rows.length
  }

  async #openFor(group: RowGroup, index: number, format: 'binary' | 'text'): Promise<OpenCopy> {
    let open = this.#open
    if (open && (open.shape !== group.shape || open.encoder.format !== format)) {
      await this.close()
      open = undefined
    }
    if (!open) {
      const { merge } = this.#plan
      const names = this.#staging && merge?.numbered ? merge.names : undefined
      const encoder = this.#plan.encoderFor(group.shape, format, names !== undefined)
      const columns = group.shape.columns.map(column => this.#plan.columns[column]!.name)
      if (names) columns.push(names.ordinal, names.shape)
      const copy = copyStatement(this.#staging ?? this.#plan.table, columns, format)
      const isChecked = this.#keeps
      const sameTypes = this.#plan.sameTypes(group.shape)
      const lock = this.#transaction.isTicketed ? [lockStatement(this.#plan.table)] : []
      const before = isChecked ? [...lock, sameTypes] : []
      const after = encoder.format === 'binary' ? [sameTypes] : []
      const opened: OpenCopy = {
        copy: this.#transaction.openCopy([...before, copy, ...after].join('; ')),
        shape: group.shape,
        encoder,
        lines: 0,
        sent: [],
        isChecked,
        isSound: false,
      }
      opened.copy.ready().then(
        () => {
          opened.isSound = isChecked && !this.#hasChanged(opened)
          this.#release()
        },
        () => {}, // whoever sends or closes hears of it
      )
      open = opened
      this.#open = open
      this.#startPiece()
      encoder.begin(this.#out)
      this.#preamble = this.#out.length - COPY_HEADER_BYTES
    }
    open.sent.push({ firstLine: open.lines + 1, group, firstIndex: index })
    // a batch that goes on in another COPY cannot be told by its pieces alone
    this.#kept = this.#keeps && index === 0 ? [] : undefined
    return open
  }

  #hasChanged({ isChecked, copy }: OpenCopy): boolean {
    return isChecked && copy.precedingRows.at(-1)?.[0] === 'false'
  }

  async close(): Promise<void> {
    const open = this.#open
    if (!open) return
    open.encoder.end(this.#out)
    await this.#sendPiece()
    await this.#transaction.copyAnswered(open.copy.end())
    this.#open = undefined
    this.unchanged += unchangedOf(open.lines, open.copy.storedRows)
    if (open.copy.followingRows[0]?.[0] === 'false') throw tableChanged(this.#plan.table)
  }

  async abort(): Promise<void> {
    const aborting = this.#open?.copy.abort()
    if (aborting) await this.#transaction.copyAnswered(aborting).catch(() => {})
  }

  locate(error: unknown): RowPlace | undefined {
    if (this.#insert) return this.#insert.locate(error)
    if (!this.#open || !isServerError(error)) return undefined
    const context = copyContext(error, (this.#staging ?? this.#plan.table).name, [...this.#plan.columnNames])
    const sent = context && this.#open.sent.findLast(rows => rows.firstLine <= context.line)
    if (!sent) return undefined
    const index = sent.firstIndex + context.line - sent.firstLine
    // binary COPY may fail on the trailer, one line past the last row
    if (context.line > this.#open.lines) return undefined
    return { group: sent.group, index, column: context.column }
  }

  async #sendPiece(): Promise<void> {
    if (!this.#open || this.#out.length <= COPY_HEADER_BYTES) return
    const full = this.#writePiece(this.#open)
    if (full) await this.#transaction.copyAnswered(full)
  }

  #writePiece(open: OpenCopy): Promise<void> | undefined {
    const piece = this.#out.take()
    this.#startPiece()
    this.bytes += piece.length - COPY_HEADER_BYTES
    // the first piece's rows are behind what begins the COPY; room for a header of their own is in it
    this.#kept?.push(this.#preamble > 0 ? piece.subarray(this.#preamble) : piece)
    this.#preamble = 0
    return open.copy.write(piece)
  }

  #startPiece(): void {
    this.#out.length = 0
    this.#out.reserve(COPY_HEADER_BYTES)
    this.#out.length = COPY_HEADER_BYTES
  }

  #unencodable(group: RowGroup, index: number, error: unknown): RowError {
    const column = error instanceof ValueError ? error.column : undefined
    const cause = error instanceof ValueError ? (error.cause ?? error) : error
    const message = error instanceof ValueError ? error.message : 'the row could not be read'
    return new RowError({ group, index, column }, message, cause)
  }

  #unfit(group: RowGroup, index: number, column: string): RowError {
    const message = `Column ${JSON.stringify(column)}: the value has no exact binary form; \`copyFormat: 'auto'\` would send it as text`
    return new RowError({ group, index, column }, message, undefined)
  }
}
