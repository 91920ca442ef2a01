/**
 * Replaces a longer delimiter: the unit separator, a control character for this purpose that texts do not
 * contain.
 */
export const FOLDED = '\x1f'
export const FOLDED_BYTE = 0x1f

/** Bytes that are scanned, and what they become. */
export class FoldedPart {
  /** The index of the first byte that is not scanned. */
  at = 0
  readonly #bytes: Buffer
  readonly #folded: Buffer
  #foldedLength = 0
  /** The first bytes that were not taken yet, of both. */
  #from = 0
  #foldedFrom = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#folded = Buffer.allocUnsafe(bytes.length)
  }

  copy(length: number): void {
    for (let left = length; left > 0; left--) this.#folded[this.#foldedLength++] = this.#bytes[this.at++]!
  }

  /** Replaces a delimiter of this length. */
  fold(length: number): void {
    this.#folded[this.#foldedLength++] = FOLDED_BYTE
    this.at += length
  }

  /** Returns what was scanned since the last call. */
  take(): { raw: Buffer; folded: Buffer } {
    const raw = this.#bytes.subarray(this.#from, this.at)
    const folded = this.#folded.subarray(this.#foldedFrom, this.#foldedLength)
    this.#from = this.at
    this.#foldedFrom = this.#foldedLength
    return { raw, folded }
  }

  /** The bytes that were not taken. */
  get rest(): Buffer {
    return this.#bytes.subarray(this.#from)
  }
}
