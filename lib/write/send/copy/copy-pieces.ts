import { COPY_HEADER_BYTES } from '../../../connection/copy-in.ts'
import type { RowEncoder } from '../../../encode/row-encoder.ts'
import { ByteBuffer } from '../../../encode/wire/byte-buffer.ts'
import type { SlabLease } from '../../../encode/wire/slabs.ts'

/**
 * Bytes that are encoded before they go to the socket: small enough that the server parses the first rows
 * while later ones are encoded, large enough that the cost of a write does not show. With half of it, a load
 * of a CSV file takes 8 % more CPU.
 */
export const PIECE_BYTES = 128 * 1024

/**
 * Cuts the bytes of a COPY into pieces. Each piece starts with free room for the header of its CopyData
 * message, so that header and data leave in one write. On request it also keeps the pieces of a batch, for
 * another attempt.
 */
export class CopyPieces {
  /** Bytes of all pieces that were taken, their headers not counted. */
  bytes = 0
  /** What encoders append to. */
  readonly out: ByteBuffer
  /** Bytes at the start of the current piece that belong to the COPY and not to its rows. */
  #preamble = 0
  #kept: Buffer[] | undefined

  constructor(slabs: SlabLease) {
    this.out = new ByteBuffer(slabs)
  }

  /** Starts the first piece of a COPY. */
  begin(encoder: RowEncoder): void {
    this.#start()
    encoder.begin(this.out)
    this.#preamble = this.out.length - COPY_HEADER_BYTES
  }

  get isFull(): boolean {
    return this.out.length >= PIECE_BYTES
  }

  /** Returns the current piece and starts another; undefined when there is nothing in it. */
  take(): Buffer | undefined {
    if (this.out.length <= COPY_HEADER_BYTES) return undefined
    const piece = this.out.take()
    this.#start()
    this.bytes += piece.length - COPY_HEADER_BYTES
    // without the preamble, whose last bytes become the room for the kept piece's own header
    this.#kept?.push(this.#preamble > 0 ? piece.subarray(this.#preamble) : piece)
    this.#preamble = 0
    return piece
  }

  /** Counts a piece of an earlier attempt, which is sent as it is. */
  countAgain(piece: Buffer): void {
    this.bytes += piece.length - COPY_HEADER_BYTES
  }

  /** Keeps the pieces that are taken from here on. */
  keep(): void {
    this.#kept = []
  }

  /** Forgets the pieces that were kept, and keeps no more. */
  stopKeeping(): void {
    this.#kept = undefined
  }

  /** Returns the pieces that were kept, and keeps no more. */
  takeKept(): Buffer[] | undefined {
    const kept = this.#kept
    this.#kept = undefined
    return kept
  }

  #start(): void {
    this.out.length = 0
    this.out.reserve(COPY_HEADER_BYTES)
    this.out.length = COPY_HEADER_BYTES
  }
}
