import type { CopyFormat } from '../../types.ts'

const MAX_BATCHES_AS_TEXT = 64

/**
 * Remembers which format suits the values that come. A value without an exact binary form turns the rest of its
 * batch into text; where such values come often, starting a COPY over for each batch costs more than text does, so
 * after each miss text stays for twice as many batches, up to 64.
 */
export class CopyFormatChoice {
  readonly #fixed: 'binary' | 'text' | undefined
  #textBatchesLeft = 0
  #nextTextBatches = 1

  constructor(format: CopyFormat) {
    this.#fixed = format === 'auto' ? undefined : format
  }

  get current(): 'binary' | 'text' {
    return this.#fixed ?? (this.#textBatchesLeft > 0 ? 'text' : 'binary')
  }

  /** Binary was asked for by name: a value that does not fit is an error. */
  get binaryOnly(): boolean {
    return this.#fixed === 'binary'
  }

  /** A value had no exact binary form. */
  missed(): void {
    this.#textBatchesLeft = this.#nextTextBatches
    this.#nextTextBatches = Math.min(this.#nextTextBatches * 2, MAX_BATCHES_AS_TEXT)
  }

  /** A batch has been sent. */
  batchDone(): void {
    if (this.#textBatchesLeft > 0) this.#textBatchesLeft--
    else this.#nextTextBatches = 1
  }
}
