import type { CopyFormat } from '../../types.ts'

const MAX_BATCHES_AS_TEXT = 64

/**
 * Chooses the format of COPY by the values that came before. After a value without an exact binary form the
 * rest of its batch goes as text. Where such values are frequent, starting another COPY in each batch costs
 * more than text does, so that after each miss text stays for twice as many batches, up to 64.
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

  /** The user has set `copyFormat: 'binary'`: a value without a binary form is an error. */
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
