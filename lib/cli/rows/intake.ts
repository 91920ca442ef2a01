import { Readable } from 'node:stream'

/**
 * Passes rows from a file to the batches. It counts them, skips those that an earlier run wrote, and can end
 * early so that rows that were taken in are still written. A source in a `pipeline` can only be destroyed.
 */
export abstract class Intake<Chunk> extends Readable {
  readonly #source: Readable
  #waiting = false
  #over = false
  #stopped = false
  /** Rows taken from the file, with those that were skipped. */
  rowsRead = 0

  constructor(source: Readable, highWaterMark: number) {
    super({ objectMode: true, highWaterMark })
    this.#source = source
    source.on('readable', () => this.#waiting && this.#pull())
    source.once('end', () => this.#end())
    source.once('error', error => this.destroy(error))
    if (source.errored) this.destroy(source.errored)
    else if (source.readableEnded) this.#end()
  }

  /** Counts the rows of a chunk. Returns what is passed on, or undefined. */
  protected abstract admit(chunk: Chunk): unknown

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
      let admitted: unknown
      try {
        admitted = this.admit(chunk)
      } catch (error) {
        this.destroy(error as Error)
        return
      }
      if (admitted !== undefined && !this.push(admitted)) return
    }
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.push(null)
  }
}
