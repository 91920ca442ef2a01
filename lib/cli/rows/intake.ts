import { Readable } from 'node:stream'

export interface IntakeOptions {
  /** Rows at the beginning that are skipped, because they are in the table already. */
  readonly skip: number
  readonly highWaterMark: number
}

/**
 * Passes rows from a file to the batches. It counts them, skips those that an earlier run wrote, and can end
 * early so that rows that were taken in are still written. A source in a `pipeline` can only be destroyed.
 */
export abstract class Intake<Chunk> extends Readable {
  readonly #source: Readable
  readonly #skip: number
  #waiting = false
  #over = false
  #stopped = false
  /** Rows taken from the file, with those that were skipped. */
  rowsRead = 0

  constructor(source: Readable, { skip, highWaterMark }: IntakeOptions) {
    super({ objectMode: true, highWaterMark })
    this.#source = source
    this.#skip = skip
    source.on('readable', () => this.#waiting && this.#pull())
    source.once('end', () => this.#end())
    source.once('error', error => this.destroy(error))
    if (source.errored) this.destroy(source.errored)
    else if (source.readableEnded) this.#end()
  }

  /** Counts the rows of a chunk. Returns what is passed on. */
  protected abstract admit(chunk: Chunk): readonly unknown[]

  /** Counts rows. Returns the number of the first one, and how many of them are skipped. */
  protected count(rows: number): { readonly first: number; readonly skipped: number } {
    const first = this.rowsRead + 1
    this.rowsRead += rows
    return { first, skipped: Math.min(rows, Math.max(0, this.#skip - first + 1)) }
  }

  /** True if the rows ended before the file did. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Ends the rows here. Returns false if they had ended already. */
  stop(): boolean {
    if (this.#over) return false
    this.#stopped = true
    this.#end()
    this.#source.destroy()
    return true
  }

  override _read(): void {
    this.#pull()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#over = true
    this.#source.destroy()
    callback(error)
  }

  #pull(): void {
    this.#waiting = false
    while (!this.#over) {
      const chunk: Chunk | null = this.#source.read()
      if (chunk === null) {
        this.#waiting = true
        return
      }
      let isFull = false
      try {
        for (const item of this.admit(chunk)) isFull = !this.push(item)
      } catch (error) {
        this.destroy(error as Error)
        return
      }
      if (isFull) return
    }
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.push(null)
  }
}

export interface BatchIntakeOptions<Batch> {
  /** Rows at the beginning that are skipped, because they are in the table already. */
  readonly skip: number
  /** Called for each batch before it is passed on. */
  readonly onBatch: (count: number, batch: Batch) => void
}

/** The intake of rows that come in chunks of many. What is left of a chunk is passed on as a batch. */
export abstract class BatchIntake<Chunk, Batch extends { readonly length: number }> extends Intake<Chunk> {
  readonly #onBatch: BatchIntakeOptions<Batch>['onBatch']

  constructor(source: Readable, { skip, onBatch }: BatchIntakeOptions<Batch>) {
    super(source, { skip, highWaterMark: 1 })
    this.#onBatch = onBatch
  }

  /** Counts the rows of a chunk. Returns those that are not skipped. */
  protected abstract batchesOf(chunk: Chunk): readonly Batch[]

  protected override admit(chunk: Chunk): readonly Batch[] {
    const batches = this.batchesOf(chunk).filter(({ length }) => length > 0)
    for (const batch of batches) this.#onBatch(batch.length, batch)
    return batches
  }
}
